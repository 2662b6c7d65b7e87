using System.Text.Json.Serialization;
using PushQueue.Diagnostics;
using PushQueue.Queues;

namespace PushQueue.Transports.Json;

/// <summary>A queue at one moment.</summary>
internal sealed record QueueContract
{
    public required string Queue { get; init; }

    [Words("broadcast", "roundrobin")]
    public required string Policy { get; init; }

    [Words("started", "stopped")]
    public required string Status { get; init; }

    public required long Ready { get; init; }

    public required long Delayed { get; init; }

    public required long Leased { get; init; }

    public required long History { get; init; }

    public required long Keys { get; init; }

    public required long BlockedKeys { get; init; }

    public required long Bytes { get; init; }

    public required int Consumers { get; init; }

    public required double? OldestAgeSeconds { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? NextDelayedAt { get; init; }

    public required double PutPerSecond { get; init; }

    public required double DeliveredPerSecond { get; init; }

    public required CountersContract Counters { get; init; }

    public required string Epoch { get; init; }

    public required long FirstOffset { get; init; }

    public required long NextOffset { get; init; }

    /// <summary>The queues that it feeds; null in lists of queues.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Subscribers { get; init; }

    /// <summary>Whether it copies what its sources held, and gives nothing out until then; left out where not.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Copying { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? PushUrl { get; init; }

    /// <param name="info">The queue.</param>
    /// <param name="rate">Its rates.</param>
    /// <param name="consumers">How many consumers it has at all nodes.</param>
    /// <param name="now">The present time.</param>
    public static QueueContract Of(QueueInfo info, QueueRate rate, int consumers, DateTimeOffset now) => new()
    {
        Queue = info.Name.Value,
        Policy = QueueWords.Policy(info.Settings.EffectivePolicy),
        Status = QueueWords.Status(info.Settings),
        Ready = info.Ready,
        Delayed = info.Delayed,
        Leased = info.Leased,
        History = info.History,
        Keys = info.Keys,
        BlockedKeys = info.BlockedKeys,
        Bytes = info.Bytes,
        Consumers = consumers,
        OldestAgeSeconds = now - info.OldestReadyAt is { } age ? Math.Max(0, Math.Round(age.TotalSeconds, 3)) : null,
        NextDelayedAt = info.NextDelayedAt,
        PutPerSecond = Math.Round(rate.Put, 1),
        DeliveredPerSecond = Math.Round(rate.Delivered, 1),
        Counters = CountersContract.Of(info.Counters),
        Epoch = info.Position.Epoch,
        FirstOffset = info.Position.FirstOffset,
        NextOffset = info.Position.NextOffset,
        Copying = info.IsCopying,

        // The origin alone: a path or a query may hold a secret.
        PushUrl = info.Settings.PushUrl is { } url ? new Uri(url).GetLeftPart(UriPartial.Authority) : null,
    };
}
