using PushQueue.Queues;

namespace PushQueue.Diagnostics;

/// <summary>The figures of one series of metrics: a queue's, or the sums over all queues that have no series of their own.</summary>
/// <param name="Queue">The label.</param>
internal sealed record SeriesPoint(string Queue)
{
    public long Ready { get; init; }

    public long Delayed { get; init; }

    public long Leased { get; init; }

    public long History { get; init; }

    public long Bytes { get; init; }

    public long BlockedKeys { get; init; }

    /// <summary>How long the oldest ready message has waited, in seconds; 0 where none is ready.</summary>
    public double OldestSeconds { get; init; }

    public QueueCounters Counters { get; init; } = new();

    /// <summary>One more queue in it, but for the counters.</summary>
    public SeriesPoint With(QueueInfo queue, DateTimeOffset now) => this with
    {
        Ready = Ready + queue.Ready,
        Delayed = Delayed + queue.Delayed,
        Leased = Leased + queue.Leased,
        History = History + queue.History,
        Bytes = Bytes + queue.Bytes,
        BlockedKeys = BlockedKeys + queue.BlockedKeys,
        OldestSeconds = Math.Max(OldestSeconds, queue.OldestReadyAt is { } oldest ? (now - oldest).TotalSeconds : 0),
    };
}
