using PushQueue.Delivery;
using PushQueue.Delivery.Encoding;
using PushQueue.Queues;
using PushQueue.Transports.Framing;

namespace PushQueue.Benchmarks;

/// <summary>A connection that takes every page at once.</summary>
internal sealed class NullConnection : IConsumerConnection, IConsumerRights
{
    public string Transport => "benchmark";

    public string? RemoteAddress => null;

    public MessageFormat ControlFormat => WebSocketFormat.Envelopes;

    public bool Multiplexed => false;

    public int? LastHeardAt => null;

    public IConsumerRights Rights => this;

    public bool MayStay => true;

    public int Version => 0;

    public bool MayListen(QueueName queue) => true;

    public ValueTask WriteAsync(EncodedPage page) => default;

    public ValueTask WriteAsync(IReadOnlyList<EncodedPage> pages) => default;

    public void Complete(CloseReason reason)
    {
        // Nothing to end.
    }

    public void Abort(CloseReason reason)
    {
        // Nothing to end.
    }
}
