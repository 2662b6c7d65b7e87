using PushQueue.Queues;

namespace PushQueue.Transports.Json;

/// <summary>A key of a queue.</summary>
internal sealed record KeyContract(
    string Key, long Ready, long Delayed, long InFlight, bool Blocked, double? OldestAgeSeconds)
{
    public static KeyContract Of(KeyInfo key, DateTimeOffset now) => new(
        key.Key,
        key.Ready,
        key.Delayed,
        key.InFlight,
        key.Blocked,
        now - key.OldestReadyAt is { } age ? Math.Max(0, Math.Round(age.TotalSeconds, 3)) : null);
}
