namespace PushQueue.Tests.Support;

/// <summary>
/// A clock that moves only when a test says so. Its timestamps have an odd frequency, so that code which takes timestamps for ticks of
/// 100 ns fails. <see cref="Advance"/> fires the timers that fall due, in the order of their times, on the calling thread, each at its
/// own moment. <see cref="StepClock"/> changes the wall clock alone, as an operator or a time server does.
/// </summary>
internal sealed class TestTimeProvider : TimeProvider
{
    private const long Frequency = 7_654_321;

    private readonly Lock _lock = new();
    private readonly List<TestTimer> _timers = [];
    private TimeSpan _elapsed;
    private DateTimeOffset _wallClockAtStart = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private long _armed;

    public override long TimestampFrequency => Frequency;

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    public override DateTimeOffset GetUtcNow()
    {
        lock (_lock)
        {
            return _wallClockAtStart + _elapsed;
        }
    }

    public override long GetTimestamp()
    {
        lock (_lock)
        {
            return (long)((Int128)_elapsed.Ticks * Frequency / TimeSpan.TicksPerSecond);
        }
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new TestTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Lets time pass; returns when the callbacks of all timers that fell due have returned.</summary>
    public void Advance(TimeSpan duration)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(duration, TimeSpan.Zero);
        TimeSpan target;
        lock (_lock)
        {
            target = _elapsed + duration;
        }

        while (NextDue(target) is { } timer)
        {
            timer.Fire();
        }

        lock (_lock)
        {
            _elapsed = target > _elapsed ? target : _elapsed;
        }
    }

    /// <summary>
    /// Time passes, and timers that fall due are late: they fire at the next <see cref="Advance"/>, as on a machine that was busy.
    /// </summary>
    public void Stall(TimeSpan duration)
    {
        lock (_lock)
        {
            _elapsed += duration;
        }
    }

    /// <summary>Sets the wall clock forward or back. Timers and timestamps take no notice.</summary>
    public void StepClock(TimeSpan step)
    {
        lock (_lock)
        {
            _wallClockAtStart += step;
        }
    }

    private TestTimer? NextDue(TimeSpan target)
    {
        lock (_lock)
        {
            var next = _timers.Where(timer => timer.DueAt <= target).MinBy(timer => (timer.DueAt, timer.ArmedAs));
            if (next is null)
            {
                return null;
            }

            _elapsed = next.DueAt > _elapsed ? next.DueAt : _elapsed;
            next.RearmLocked();
            return next;
        }
    }

    private sealed class TestTimer(TestTimeProvider owner, TimerCallback callback, object? state) : ITimer
    {
        private TimeSpan _period = Timeout.InfiniteTimeSpan;
        private bool _disposed;

        public TimeSpan DueAt { get; private set; }

        /// <summary>Timers of one moment fire in the order in which they were armed.</summary>
        public long ArmedAs { get; private set; }

        public void Fire() => callback(state);

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (owner._lock)
            {
                if (_disposed)
                {
                    return false;
                }

                owner._timers.Remove(this);
                _period = period;
                if (dueTime != Timeout.InfiniteTimeSpan)
                {
                    ArmLocked(dueTime);
                }

                return true;
            }
        }

        public void RearmLocked()
        {
            owner._timers.Remove(this);
            if (_period > TimeSpan.Zero)
            {
                ArmLocked(_period);
            }
        }

        public void Dispose()
        {
            lock (owner._lock)
            {
                _disposed = true;
                owner._timers.Remove(this);
            }
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }

        // A timer that is due at once fires at the next Advance, never inside Change: callers hold locks there.
        private void ArmLocked(TimeSpan dueTime)
        {
            DueAt = owner._elapsed + dueTime;
            ArmedAs = ++owner._armed;
            owner._timers.Add(this);
        }
    }
}
