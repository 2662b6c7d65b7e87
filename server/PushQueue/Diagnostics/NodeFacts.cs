using PushQueue.Queues;

namespace PushQueue.Diagnostics;

/// <summary>One node at one moment.</summary>
internal sealed record NodeFacts
{
    public required string Name { get; init; }

    public required string Version { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    public required string Store { get; init; }

    public required string Durability { get; init; }

    /// <summary>Why the store cannot serve; null while it can.</summary>
    public string? Unavailable { get; init; }

    /// <summary>Damage that the store found since it was opened; null where it found none.</summary>
    public StoreDamage? Damage { get; init; }

    public StoreUsage? Usage { get; init; }

    /// <summary>Of one core since the last measurement: 100 is one core.</summary>
    public double CpuPercent { get; init; }

    public int Cores { get; init; }

    public long MemoryBytes { get; init; }

    public long HeapBytes { get; init; }

    /// <summary>Open streams and sockets by transport.</summary>
    public required IReadOnlyDictionary<string, int> Connections { get; init; }

    public int Consumers { get; init; }

    public int WaitingTakes { get; init; }

    public int Workers { get; init; }
}
