using System.Text.Json.Serialization;
using PushQueue.Diagnostics;

namespace PushQueue.Transports.Json;

/// <summary>A node that serves the queues.</summary>
internal sealed record NodeContract
{
    public required string Node { get; init; }

    public required string Version { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    public required string Store { get; init; }

    public required string Durability { get; init; }

    public required string? Unavailable { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DamageContract? Damage { get; init; }

    public required double CpuPercent { get; init; }

    public required int Cores { get; init; }

    public required long MemoryBytes { get; init; }

    public required long HeapBytes { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DiskContract? Disk { get; init; }

    public required IReadOnlyDictionary<string, int> Connections { get; init; }

    public required int Consumers { get; init; }

    public required int WaitingTakes { get; init; }

    public required int Workers { get; init; }

    public static NodeContract Of(NodeFacts node) => new()
    {
        Node = node.Name,
        Version = node.Version,
        StartedAt = node.StartedAt,
        Store = node.Store,
        Durability = node.Durability,
        Unavailable = node.Unavailable,
        Damage = node.Damage is { } damage ? new DamageContract(damage.Places, damage.Latest) : null,
        CpuPercent = Math.Round(node.CpuPercent, 1),
        Cores = node.Cores,
        MemoryBytes = node.MemoryBytes,
        HeapBytes = node.HeapBytes,
        Disk = node.Usage is { } usage ? new DiskContract(usage.UsedBytes, usage.FreeBytes, usage.TotalBytes, usage.Files) : null,
        Connections = node.Connections,
        Consumers = node.Consumers,
        WaitingTakes = node.WaitingTakes,
        Workers = node.Workers,
    };
}
