using System.Text.Json.Serialization;

namespace PushQueue.Transports.Json;

/// <summary>The changes of the overview of the queues since the last item.</summary>
internal sealed record OverviewContract
{
    public required DateTimeOffset Now { get; init; }

    public required int Points { get; init; }

    public required int Matching { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public RawJson? Access { get; init; }

    public required SumsContract Sums { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Order { get; init; }

    public required IReadOnlyList<OverviewRowContract> Rows { get; init; }
}
