using PushQueue.Queues;

namespace PushQueue.Diagnostics;

/// <summary>The node at one moment, with sums over all queues.</summary>
internal sealed record NodeSnapshot
{
    public required string Version { get; init; }

    public required TimeSpan Uptime { get; init; }

    public required string Store { get; init; }

    public required string Durability { get; init; }

    public int WaitingTakes { get; init; }

    public int Workers { get; init; }

    public long MemoryBytes { get; init; }

    public long Queues { get; init; }

    public long Ready { get; init; }

    public long Delayed { get; init; }

    public long Leased { get; init; }

    public long History { get; init; }

    public long Bytes { get; init; }

    public QueueRate Rate { get; init; }

    public QueueCounters Counters { get; init; } = new();

    /// <summary>One more queue in the sums.</summary>
    public NodeSnapshot With(QueueInfo queue, QueueRate rate) => this with
    {
        Queues = Queues + 1,
        Ready = Ready + queue.Ready,
        Delayed = Delayed + queue.Delayed,
        Leased = Leased + queue.Leased,
        History = History + queue.History,
        Bytes = Bytes + queue.Bytes,
        Rate = new QueueRate(Rate.Put + rate.Put, Rate.Delivered + rate.Delivered),
        Counters = Counters.Plus(queue.Counters),
    };
}
