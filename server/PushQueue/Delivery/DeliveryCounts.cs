using PushQueue.Delivery.Encoding;
using PushQueue.Queues;

namespace PushQueue.Delivery;

/// <summary>The messages that this node has pushed since its start; written once a round.</summary>
internal sealed class DeliveryCounts(LimitHits? hits)
{
    private readonly long[] _gaps = new long[Enum.GetValues<GapCause>().Length];
    private long _delivered;

    /// <summary>Messages handed to connections: each once for each consumer.</summary>
    public long Delivered => Volatile.Read(ref _delivered);

    public void AddDelivered(long messages) => Interlocked.Add(ref _delivered, messages);

    /// <summary>Gaps reported to consumers.</summary>
    public long GapsOf(GapCause cause) => Volatile.Read(ref _gaps[(int)cause]);

    /// <summary>A connection's buffer was full: it is closed, or something is dropped.</summary>
    public void AddFullBuffer() => hits?.Count(LimitNames.BufferBytes);

    public void AddGap(GapCause cause) => Interlocked.Increment(ref _gaps[(int)cause]);
}
