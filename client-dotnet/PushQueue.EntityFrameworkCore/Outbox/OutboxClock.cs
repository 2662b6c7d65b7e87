namespace PushQueue.EntityFrameworkCore;

/// <summary>The numbers of rows: the time in ticks, and never the same number twice.</summary>
internal sealed class OutboxClock
{
    private long _last;

    /// <summary>For rows that are saved without the services of an application.</summary>
    public static OutboxClock Shared { get; } = new();

    /// <summary>A number greater than every earlier one of this clock, and than a given one.</summary>
    public long Next(DateTimeOffset now, long after)
    {
        while (true)
        {
            var last = Volatile.Read(ref _last);
            var next = Math.Max(now.UtcTicks, Math.Max(last, after) + 1);
            if (Interlocked.CompareExchange(ref _last, next, last) == last)
            {
                return next;
            }
        }
    }
}
