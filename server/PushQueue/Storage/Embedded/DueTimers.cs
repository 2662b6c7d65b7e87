namespace PushQueue.Storage.Embedded;

/// <summary>
/// One timer for all queues: wakes each when its next delayed message, lease end, expiry or history age is due. A queue that has nothing due
/// costs nothing. Waking too early is harmless, too late is not: a queue schedules whenever its next time comes nearer.
/// </summary>
internal sealed class DueTimers : IDisposable
{
    // What one timer can wait for at most; anything later is simply scheduled again then.
    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(1);

    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private readonly PriorityQueue<EmbeddedQueue, long> _due = new();
    private long _armedForMs = long.MaxValue;
    private bool _disposed;

    public DueTimers(TimeProvider time)
    {
        _time = time;
        _timer = time.CreateTimer(static state => ((DueTimers)state!).Fire(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
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
        if (dueMs >= _armedForMs || _disposed)
        {
            return;
        }

        _armedForMs = dueMs;
        var wait = TimeSpan.FromMilliseconds(Math.Max(0, dueMs - _time.GetUtcNow().ToUnixTimeMilliseconds()));
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
            queue.Sweep();
        }
    }

    private EmbeddedQueue? NextDue()
    {
        lock (_gate)
        {
            while (!_disposed && _due.TryPeek(out var queue, out var dueMs))
            {
                if (dueMs > _time.GetUtcNow().ToUnixTimeMilliseconds())
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
