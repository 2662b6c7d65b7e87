using System.Text.Json.Serialization;
using PushQueue.Diagnostics;

namespace PushQueue.Transports.Json;

/// <summary>One queue of the overview, with the latest points of its charts.</summary>
internal sealed record OverviewRowContract
{
    public required string Queue { get; init; }

    public required string Policy { get; init; }

    public required string Status { get; init; }

    public required long Ready { get; init; }

    public required long Delayed { get; init; }

    public required long Leased { get; init; }

    public required long Dead { get; init; }

    public required int Consumers { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? OldestAt { get; init; }

    public required double PutPerSecond { get; init; }

    public required double DeliveredPerSecond { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int[]? In { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int[]? Out { get; init; }

    /// <param name="row">The queue.</param>
    /// <param name="points">The seconds to show; empty for an idle queue.</param>
    public static OverviewRowContract Of(in BoardRow row, QueuePoint[] points) => new()
    {
        Queue = row.Info.Name.Value,
        Policy = QueueWords.Policy(row.Info.Settings.EffectivePolicy),
        Status = QueueWords.Status(row.Info.Settings),
        Ready = row.Info.Ready,
        Delayed = row.Info.Delayed,
        Leased = row.Info.Leased,
        Dead = row.Dead,
        Consumers = row.Consumers,
        OldestAt = row.Info.OldestReadyAt,
        PutPerSecond = Math.Round(row.Rate.Put, 1),
        DeliveredPerSecond = Math.Round(row.Rate.Delivered, 1),
        In = points.Length > 0 ? Array.ConvertAll(points, static point => point.Put) : null,
        Out = points.Length > 0 ? Array.ConvertAll(points, static point => point.Delivered) : null,
    };
}
