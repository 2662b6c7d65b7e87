using PushQueue.Queues;

namespace PushQueue.Transports.Json;

/// <summary>A worker that gave its name.</summary>
internal sealed record WorkerContract
{
    public required string Worker { get; init; }

    public required IReadOnlyList<string> Queues { get; init; }

    public required long Processed { get; init; }

    public required long Failed { get; init; }

    public required DateTimeOffset Since { get; init; }

    public required DateTimeOffset LastSeen { get; init; }

    public static WorkerContract Of(WorkerInfo worker) => new()
    {
        Worker = worker.Name,
        Queues = [.. worker.Queues.Select(static queue => queue.Value)],
        Processed = worker.Processed,
        Failed = worker.Failed,
        Since = worker.Since,
        LastSeen = worker.LastSeen,
    };

    /// <summary>The same worker, seen by two nodes: one worker may work at several.</summary>
    public WorkerContract With(WorkerContract other) => this with
    {
        Queues = [.. Queues.Union(other.Queues)],
        Processed = Processed + other.Processed,
        Failed = Failed + other.Failed,
        Since = Since < other.Since ? Since : other.Since,
        LastSeen = LastSeen > other.LastSeen ? LastSeen : other.LastSeen,
    };
}
