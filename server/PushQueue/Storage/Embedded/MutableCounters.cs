using PushQueue.Queues;

namespace PushQueue.Storage.Embedded;

/// <summary><see cref="QueueCounters"/> while they count. Guarded by the queue's lock.</summary>
internal sealed class MutableCounters
{
    public long Put { get; set; }

    public long Delivered { get; set; }

    public long Acked { get; set; }

    public long Failed { get; set; }

    public long Cancelled { get; set; }

    public long Expired { get; set; }

    public long Dropped { get; set; }

    public long DeadLettered { get; set; }

    public long Lost { get; set; }

    public QueueCounters Snapshot() => new()
    {
        Put = Put,
        Delivered = Delivered,
        Acked = Acked,
        Failed = Failed,
        Cancelled = Cancelled,
        Expired = Expired,
        Dropped = Dropped,
        DeadLettered = DeadLettered,
        Lost = Lost,
    };

    public void Restore(QueueCounters counters)
    {
        Put = counters.Put;
        Delivered = counters.Delivered;
        Acked = counters.Acked;
        Failed = counters.Failed;
        Cancelled = counters.Cancelled;
        Expired = counters.Expired;
        Dropped = counters.Dropped;
        DeadLettered = counters.DeadLettered;
        Lost = counters.Lost;
    }
}
