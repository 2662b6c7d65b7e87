using PushQueue.Delivery.Encoding;

namespace PushQueue.Dialects.RestMq;

/// <summary>WebSocket: a text frame with this dialect's object per message.</summary>
internal sealed class RestMqSocketFormat : WebSocketFormat
{
    private RestMqSocketFormat()
        : base(raw: false)
    {
    }

    public static MessageFormat Instance { get; } = new RestMqSocketFormat();

    protected override void WritePayload(PageWriter writer, in PushedMessage pushed) => RestMqEnvelope.Write(writer, pushed);
}
