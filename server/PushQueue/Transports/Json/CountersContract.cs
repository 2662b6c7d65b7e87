using PushQueue.Queues;

namespace PushQueue.Transports.Json;

/// <summary>Counts since a queue was made.</summary>
internal sealed record CountersContract
{
    public required long Put { get; init; }

    public required long Delivered { get; init; }

    public required long Acked { get; init; }

    public required long Failed { get; init; }

    public required long Cancelled { get; init; }

    public required long Expired { get; init; }

    public required long Dropped { get; init; }

    public required long DeadLettered { get; init; }

    public required long Lost { get; init; }

    public static CountersContract Of(QueueCounters counters) => new()
    {
        Put = counters.Put,
        Delivered = counters.Delivered,
        Acked = counters.Acked,
        Failed = counters.Failed,
        Cancelled = counters.Cancelled,
        Expired = counters.Expired,
        Dropped = counters.Dropped,
        DeadLettered = counters.DeadLettered,
        Lost = counters.Lost,
    };
}
