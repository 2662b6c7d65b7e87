using PushQueue.Delivery.Encoding;
using PushQueue.Queues;
using PushQueue.Transports.Framing;

namespace PushQueue.Dialects.RestMq;

/// <summary>Comet: an object and a line end per message.</summary>
/// <param name="callback">The function that each object is wrapped in a call of; null for none.</param>
internal sealed class RestMqLineFormat(string? callback) : MessageFormat
{
    public static RestMqLineFormat Plain { get; } = new(callback: null);

    public static MessageFormat PlainChunked { get; } = ChunkedFormat.Of(Plain);

    /// <summary>
    /// A blank, which every reader of JSON skips before the next object. Old clients take each line for an object, so an empty line would
    /// not do.
    /// </summary>
    public override EncodedPage Heartbeat { get; } = new(" "u8.ToArray());

    public override void WriteMessage(PageWriter writer, in PushedMessage pushed)
    {
        if (callback is not null)
        {
            writer.WriteUtf8(callback);
            writer.Write((byte)'(');
        }

        RestMqEnvelope.Write(writer, pushed);
        writer.Write(callback is null ? "\r\n"u8 : ");\r\n"u8);
    }

    /// <summary>A gap is reported although old clients do not know it: no client may miss a message silently.</summary>
    public override void WriteEvent(PageWriter writer, ReadOnlySpan<byte> name, ReadOnlySpan<byte> json, Cursor? cursor = null)
    {
        writer.Write(json);
        writer.Write("\r\n"u8);
    }

    /// <summary>Nothing: an old client takes each line for a message.</summary>
    public override EncodedPage? EncodeOpening(QueueName queue, in Opening opening) => null;

    /// <summary>No close event: the end of the response is enough.</summary>
    public override void WriteClose(PageWriter writer, ReadOnlySpan<byte> json, int reconnectMs)
    {
    }
}
