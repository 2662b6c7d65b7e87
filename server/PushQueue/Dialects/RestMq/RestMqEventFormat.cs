using PushQueue.Delivery.Encoding;

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

    protected override void WriteData(PageWriter writer, in PushedMessage pushed) => RestMqEnvelope.Write(writer, pushed);
}
