namespace PushQueue.Queues;

/// <summary>The promise of an answer to a put.</summary>
internal enum DurabilityMode
{
    /// <summary>On disk: survives power loss.</summary>
    Synced,

    /// <summary>
    /// Written to the operating system, flushed to disk after an interval: survives a kill, but not the last moments before a power loss.
    /// </summary>
    Interval,

    /// <summary>Handed to the operating system, never flushed on purpose: survives a kill, not power loss.</summary>
    Memory,

    /// <summary>As durable as Redis's own persistence and its replicas are.</summary>
    Redis,
}

/// <summary>A durability as users write it: <c>synced</c>, <c>interval:50ms</c> or <c>memory</c>.</summary>
/// <param name="Mode">How.</param>
/// <param name="Interval">Between flushes.</param>
/// <param name="Replicas">How many replicas of Redis have it too.</param>
internal sealed record Durability(DurabilityMode Mode, TimeSpan Interval, int Replicas = 0)
{
    private const string IntervalPrefix = "interval:";

    public static Durability Synced { get; } = new(DurabilityMode.Synced, TimeSpan.Zero);

    public static Durability Memory { get; } = new(DurabilityMode.Memory, TimeSpan.Zero);

    /// <summary>Kept by Redis; options do not choose it by name.</summary>
    public static Durability Redis(int replicas) => new(DurabilityMode.Redis, TimeSpan.Zero, replicas);

    public static Durability? TryParse(string? text)
    {
        if (text is "synced")
        {
            return Synced;
        }

        if (text is "memory")
        {
            return Memory;
        }

        return text is not null
            && text.StartsWith(IntervalPrefix, StringComparison.Ordinal)
            && Duration.TryParse(text.AsSpan(IntervalPrefix.Length), out var interval)
            && interval >= TimeSpan.FromMilliseconds(1)
            && interval <= TimeSpan.FromMinutes(1)
                ? new Durability(DurabilityMode.Interval, interval)
                : null;
    }

    public override string ToString() => Mode switch
    {
        DurabilityMode.Synced => "synced",
        DurabilityMode.Memory => "memory",
        DurabilityMode.Redis when Replicas > 0 => $"redis:wait:{Replicas}",
        DurabilityMode.Redis => "redis",
        _ => IntervalPrefix + Duration.Format(Interval),
    };
}
