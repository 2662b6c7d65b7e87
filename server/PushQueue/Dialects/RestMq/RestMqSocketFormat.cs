using PushQueue.Delivery.Encoding;
using PushQueue.Queues;
using PushQueue.Transports.Framing;

namespace PushQueue.Dialects.RestMq;

/// <summary>WebSocket: a text frame with this dialect's object per message.</summary>
internal sealed class RestMqSocketFormat : WebSocketFormat
{
    private RestMqSocketFormat()
        : base(raw: false)
    {
    }

    public static MessageFormat Instance { get; } = new RestMqSocketFormat();

    /// <summary>Nothing: an old client takes each frame for a message.</summary>
    public override EncodedPage? EncodeOpening(QueueName queue, in Opening opening) => null;

    protected override void WritePayload(PageWriter writer, in PushedMessage pushed) => RestMqEnvelope.Write(writer, pushed);
}
