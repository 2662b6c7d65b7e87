using PushQueue.Queues;

namespace PushQueue.Storage.Embedded;

/// <summary>
/// One timer for all queues: wakes each when its next delayed message, lease end, expiry or history age is due. A queue that has nothing
/// due costs nothing. Waking too early is harmless, too late is not: a queue schedules whenever its next time comes nearer. Wakes nobody
/// before <see cref="Start"/>: a start fills the queues while there is no log yet that could take what is due.
/// </summary>
internal sealed class DueTimers : IDisposable
{
    /// <summary>A timer cannot wait for more than 49 days.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(1);

    private readonly Lock _gate = new();
    private readonly QueueClock _clock;
    private readonly FaultBorder _faults;
    private readonly ITimer _timer;
    private readonly PriorityQueue<EmbeddedQueue, long> _due = new();
    private long _armedForMs = long.MaxValue;
    private bool _started;
    private bool _disposed;

    public DueTimers(QueueClock clock, TimeProvider time, FaultBorder faults)
    {
        _clock = clock;
        _faults = faults;
        _timer = time.CreateTimer(static state => ((DueTimers)state!).Fire(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>The queues are whole and the log takes records: wakes those that are due, from now on.</summary>
    public void Start()
    {
        lock (_gate)
        {
            _started = true;
            if (_due.TryPeek(out _, out var dueMs))
            {
                ArmLocked(dueMs);
            }
        }
    }

    /// <summary>Asks for <see cref="EmbeddedQueue.Sweep"/> at the given time. May be called with the queue's lock held.</summary>
    public void Schedule(EmbeddedQueue queue, long dueMs)
    {
        lock (_gate)
        {
            if (dueMs >= queue.ScheduledForMs)
            {
                return;
            }

            queue.ScheduledForMs = dueMs;
            _due.Enqueue(queue, dueMs);
            ArmLocked(dueMs);
        }
    }

    /// <summary>The queue failed: its sweep is tried again after a pause that grows with each failure.</summary>
    public void RetryLater(EmbeddedQueue queue)
    {
        queue.FailedSweeps++;
        var pause = FaultBorder.Backoff.After(queue.FailedSweeps);
        Schedule(queue, _clock.NowMs() + (long)pause.TotalMilliseconds);
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
        }

        _timer.Dispose();
    }

    private void ArmLocked(long dueMs)
    {
        if (dueMs >= _armedForMs || _disposed || !_started)
        {
            return;
        }

        _armedForMs = dueMs;
        var wait = TimeSpan.FromMilliseconds(Math.Max(0, dueMs - _clock.NowMs()));
        _timer.Change(wait < LongestWait ? wait : LongestWait, Timeout.InfiniteTimeSpan);
    }

    private void Fire()
    {
        lock (_gate)
        {
            _armedForMs = long.MaxValue;
        }

        while (NextDue() is { } queue)
        {
            if (_faults.Try(queue.Name, queue, static queue => queue.Sweep()))
            {
                queue.FailedSweeps = 0;
            }
            else
            {
                RetryLater(queue);
            }
        }
    }

    private EmbeddedQueue? NextDue()
    {
        lock (_gate)
        {
            while (!_disposed && _due.TryPeek(out var queue, out var dueMs))
            {
                if (dueMs > _clock.NowMs())
                {
                    ArmLocked(dueMs);
                    return null;
                }

                _due.Dequeue();

                // An entry of another time was overtaken by a nearer one, which has scheduled again since.
                if (queue.ScheduledForMs == dueMs)
                {
                    queue.ScheduledForMs = long.MaxValue;
                    return queue;
                }
            }

            return null;
        }
    }
}
