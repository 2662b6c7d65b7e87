using PushQueue.Delivery;
using PushQueue.Queues;

namespace PushQueue.Transports;

/// <summary>How long a message of a WebSocket or hub client may be.</summary>
internal static class FrameLimit
{
    // A command around the largest body, whose JSON may be twice its size.
    private const int Slack = 64 * 1024;

    private const int BodyBytesMaxDefault = 1024 * 1024;

    /// <param name="options">The options that were set.</param>
    /// <param name="broker">Null in a host without queues.</param>
    public static int BytesMax(DeliveryOptions options, IMessageBroker? broker) =>
        options.FrameBytesMax ?? (int)Math.Min(int.MaxValue / 2, ((broker?.MessageBytesMax ?? BodyBytesMaxDefault) * 2L) + Slack);
}
