using System.Text.Json.Serialization;

namespace PushQueue.Transports.Json;

/// <summary>The nodes, and the events of this node since the last item.</summary>
internal sealed record WatchedNodesContract
{
    public required DateTimeOffset Now { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public RawJson? Access { get; init; }

    public required IReadOnlyList<NodeContract> Nodes { get; init; }

    public required IReadOnlyList<EventContract> Events { get; init; }
}
