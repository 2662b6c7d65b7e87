using PushQueue.Delivery.Encoding;
using PushQueue.Queues;
using PushQueue.Transports.Framing;

namespace PushQueue.Dialects.RestMq;

/// <summary>Server-sent events: as the native ones, around this dialect's object.</summary>
internal sealed class RestMqEventFormat : ServerSentEventFormat
{
    private RestMqEventFormat()
        : base(raw: false)
    {
    }

    public static MessageFormat Plain { get; } = new RestMqEventFormat();

    public static MessageFormat PlainChunked { get; } = ChunkedFormat.Of(Plain);

    /// <summary>
    /// An id without data: a browser remembers it and gives the page no event, which an old page would take for a message.
    /// </summary>
    public override EncodedPage? EncodeOpening(QueueName queue, in Opening opening)
    {
        if (opening.Cursor is not { } cursor)
        {
            return base.EncodeOpening(queue, opening);
        }

        var writer = PageWriter.Rent();
        WriteId(writer, cursor);
        writer.Write((byte)'\n');
        var page = Finish(writer, 0, 0);
        writer.Return();
        return page;
    }

    protected override void WriteData(PageWriter writer, in PushedMessage pushed) => RestMqEnvelope.Write(writer, pushed);
}
