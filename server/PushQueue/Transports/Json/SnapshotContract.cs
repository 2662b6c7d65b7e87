using PushQueue.Diagnostics;

namespace PushQueue.Transports.Json;

/// <summary>One node in the statistics.</summary>
internal sealed record SnapshotContract
{
    public required string Version { get; init; }

    public required double UptimeSeconds { get; init; }

    public required string Store { get; init; }

    public required string Durability { get; init; }

    public required int WaitingTakes { get; init; }

    public required int Workers { get; init; }

    public required long MemoryBytes { get; init; }

    public static SnapshotContract Of(NodeSnapshot node) => new()
    {
        Version = node.Version,
        UptimeSeconds = Math.Round(node.Uptime.TotalSeconds),
        Store = node.Store,
        Durability = node.Durability,
        WaitingTakes = node.WaitingTakes,
        Workers = node.Workers,
        MemoryBytes = node.MemoryBytes,
    };
}
