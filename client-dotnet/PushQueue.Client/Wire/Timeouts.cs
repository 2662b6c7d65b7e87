namespace PushQueue.Client.Wire;

/// <summary>Time limits as timers can hold them: they end at 49 days, and a longer limit is as good as none.</summary>
internal static class Timeouts
{
    private static readonly TimeSpan Longest = TimeSpan.FromMilliseconds(uint.MaxValue - 1);

    /// <summary>Cancelled after so long; never for an infinite or a longer time.</summary>
    public static CancellationTokenSource After(TimeSpan limit, TimeProvider time) => new(OrInfinite(limit), time);

    public static TimeSpan OrInfinite(TimeSpan limit) => limit > Longest ? Timeout.InfiniteTimeSpan : limit;

    public static TimeSpan OrLongest(TimeSpan wait) => wait > Longest ? Longest : wait;

    /// <summary>Both together; infinite where one of them is as good as that.</summary>
    public static TimeSpan Sum(TimeSpan limit, TimeSpan more) =>
        limit < TimeSpan.Zero || limit > Longest || more > Longest ? Timeout.InfiniteTimeSpan : limit + more;
}
