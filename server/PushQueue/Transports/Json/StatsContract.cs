using PushQueue.Diagnostics;

namespace PushQueue.Transports.Json;

/// <summary>The node that answers, the other nodes, and sums over all queues.</summary>
internal sealed record StatsContract
{
    public required SnapshotContract Node { get; init; }

    public required IReadOnlyList<SnapshotContract> OtherNodes { get; init; }

    public required long Queues { get; init; }

    public required long Ready { get; init; }

    public required long Delayed { get; init; }

    public required long Leased { get; init; }

    public required long History { get; init; }

    public required long Bytes { get; init; }

    public required double PutPerSecond { get; init; }

    public required double DeliveredPerSecond { get; init; }

    public required CountersContract Counters { get; init; }

    public static StatsContract Of(NodeSnapshot node, IReadOnlyList<SnapshotContract> others) => new()
    {
        Node = SnapshotContract.Of(node),
        OtherNodes = others,
        Queues = node.Queues,
        Ready = node.Ready,
        Delayed = node.Delayed,
        Leased = node.Leased,
        History = node.History,
        Bytes = node.Bytes,
        PutPerSecond = Math.Round(node.Rate.Put, 1),
        DeliveredPerSecond = Math.Round(node.Rate.Delivered, 1),
        Counters = CountersContract.Of(node.Counters),
    };
}
