namespace PushQueue.EntityFrameworkCore;

/// <summary>How an outbox is forwarded.</summary>
public sealed class OutboxOptions
{
    /// <summary>
    /// How long a queue is to know the ids of its messages, at least 1 s; default 10 minutes. A queue with a shorter <c>dedupWindow</c> is
    /// changed to it, for which an access key needs the permission <c>manage</c>; without it a warning is logged. A forwarder that was
    /// killed must be replaced within this time, or its last batch may be in the queue twice. Null leaves the setting of queues alone.
    /// </summary>
    public TimeSpan? DedupWindow { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>How often the database is asked for rows that were committed elsewhere; 10 ms to 1 h, default 2 s. A commit in this process
    /// wakes the forwarder at once.</summary>
    public TimeSpan PollInterval { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How long a forwarder that gives no sign of life keeps its queues; 1 s to 1 h, default 15 s. Each application measures it by
    /// its own monotonic clock.</summary>
    public TimeSpan LeaseDuration { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>How many messages one put has at most; 1 to 1,000, default 100.</summary>
    public int BatchMessages { get; set; } = 100;

    /// <summary>How many bytes of bodies one put has at most, unless one body alone is larger; 1 KiB to 64 MiB, default 4 MiB.</summary>
    public int BatchBytes { get; set; } = 4 * 1024 * 1024;

    /// <exception cref="ArgumentException">An option has an impossible value.</exception>
    internal static void Check(OutboxOptions options)
    {
        if (options.WhyNot() is { } reason)
        {
            throw new ArgumentException(reason, nameof(options));
        }
    }

    private string? WhyNot() =>
        DedupWindow is { } window && (window < TimeSpan.FromSeconds(1) || window > TimeSpan.FromDays(3650))
            ? $"DedupWindow is {window}; give 1 s to ten years, or null."
        : PollInterval < TimeSpan.FromMilliseconds(10) || PollInterval > TimeSpan.FromHours(1)
            ? $"PollInterval is {PollInterval}; give 10 ms to 1 h."
        : LeaseDuration < TimeSpan.FromSeconds(1) || LeaseDuration > TimeSpan.FromHours(1)
            ? $"LeaseDuration is {LeaseDuration}; give 1 s to 1 h."
        : BatchMessages is < 1 or > 1000 ? $"BatchMessages is {BatchMessages}; give 1 to 1000."
        : BatchBytes is < 1024 or > 64 * 1024 * 1024 ? $"BatchBytes is {BatchBytes}; give 1 KiB to 64 MiB."
        : null;
}
