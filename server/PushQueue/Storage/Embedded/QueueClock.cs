namespace PushQueue.Storage.Embedded;

/// <summary>
/// The clock of the queues: the wall clock at the start of the process plus the time that has passed since by the monotonic clock. So
/// leases, delays and ages last as long as they should, whatever happens to the wall clock. Callers see and give wall-clock times, which
/// are translated by how far the wall clock has stepped since the start. Thread-safe.
/// </summary>
internal sealed class QueueClock
{
    /// <summary>Smaller differences of the two clocks are no step: they are read one after the other, and NTP slews one of them.</summary>
    private const long StepMinMs = 1000;

    private static readonly long EarliestMs = DateTimeOffset.MinValue.ToUnixTimeMilliseconds();
    private static readonly long LatestMs = DateTimeOffset.MaxValue.ToUnixTimeMilliseconds();

    private readonly TimeProvider _time;
    private readonly long _startedAtMs;
    private readonly long _startTimestamp;
    private long _stepMs;

    public QueueClock(TimeProvider time)
    {
        _time = time;
        _startedAtMs = time.GetUtcNow().ToUnixTimeMilliseconds();
        _startTimestamp = time.GetTimestamp();
    }

    /// <summary>Unix milliseconds by this clock. Notices steps of the wall clock, so that every operation begins with it.</summary>
    public long NowMs()
    {
        var now = _startedAtMs + (long)Math.Round(_time.GetElapsedTime(_startTimestamp).TotalMilliseconds);
        var step = _time.GetUtcNow().ToUnixTimeMilliseconds() - now;
        if (Math.Abs(step - Volatile.Read(ref _stepMs)) > StepMinMs)
        {
            Volatile.Write(ref _stepMs, step);
        }

        return now;
    }

    /// <summary>A time of this clock as the wall clock would show it.</summary>
    public DateTimeOffset ToWall(long milliseconds) =>
        DateTimeOffset.FromUnixTimeMilliseconds(Math.Clamp(milliseconds + Volatile.Read(ref _stepMs), EarliestMs, LatestMs));

    /// <summary>A time of the wall clock by this clock: as far from now as it is on the wall clock.</summary>
    public long FromWall(DateTimeOffset time) => time.ToUnixTimeMilliseconds() - Volatile.Read(ref _stepMs);
}
