using System.Text.Json.Serialization;
using PushQueue.Queues;

namespace PushQueue.Transports.Json;

/// <summary>The settings of a queue.</summary>
internal sealed record SettingsContract
{
    public required string Queue { get; init; }

    [Words("broadcast", "roundrobin")]
    public required string Policy { get; init; }

    [Words("started", "stopped")]
    public required string Status { get; init; }

    [DurationText]
    public required string Ttr { get; init; }

    public required int MaxAttempts { get; init; }

    public required string RetryDelay { get; init; }

    [DurationText]
    public required string DedupWindow { get; init; }

    public required long? MaxMessages { get; init; }

    public required long? MaxBytes { get; init; }

    [Words("reject", "drop-oldest")]
    public required string Overflow { get; init; }

    public required HistoryContract History { get; init; }

    public required bool DeadLetter { get; init; }

    [DurationText]
    public required string Expires { get; init; }

    public required int KeyInFlight { get; init; }

    public required bool Fair { get; init; }

    [JsonConverter(typeof(SubscriptionsConverter))]
    public required QueueSubscriptions Subscriptions { get; init; }

    public static SettingsContract Of(QueueName queue, QueueSettings settings) => new()
    {
        Queue = queue.Value,
        Policy = QueueWords.Policy(settings.EffectivePolicy),
        Status = QueueWords.Status(settings),
        Ttr = Duration.Format(settings.TimeToRun),
        MaxAttempts = settings.MaxAttempts,
        RetryDelay = settings.RetryDelay.ToString(),
        DedupWindow = Duration.Format(settings.DedupWindow),
        MaxMessages = settings.MaxMessages,
        MaxBytes = settings.MaxBytes,
        Overflow = QueueWords.Overflow(settings.Overflow),
        History = new HistoryContract(settings.HistoryMessages, Duration.Format(settings.HistoryAge), settings.HistoryPerKey),
        DeadLetter = settings.DeadLetter,
        Expires = Duration.Format(settings.Expires ?? TimeSpan.Zero),
        KeyInFlight = settings.KeyInFlight,
        Fair = settings.Fair,
        Subscriptions = settings.Subscriptions,
    };
}
