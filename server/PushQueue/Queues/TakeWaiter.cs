namespace PushQueue.Queues;

/// <summary>One take in the line of its queue. A wake is remembered until it is asked for; an end is final.</summary>
internal sealed class TakeWaiter : IDisposable
{
    private readonly Lock _lock = new();
    private TaskCompletionSource<bool>? _pending;
    private ITimer? _timer;
    private bool _woken;
    private bool _ended;

    public TakeWaiter(QueueName queue, bool isFiltered)
    {
        Queue = queue;
        IsFiltered = isFiltered;
        Node = new LinkedListNode<TakeWaiter>(this);
    }

    public QueueName Queue { get; }

    /// <summary>Whether it takes only some of the messages.</summary>
    public bool IsFiltered { get; }

    /// <summary>The place in line; owned by <see cref="TakeWaiters"/>.</summary>
    public LinkedListNode<TakeWaiter> Node { get; }

    /// <summary>True when it is worth trying (again), false when the wait is over.</summary>
    public Task<bool> NextAsync()
    {
        lock (_lock)
        {
            if (_ended)
            {
                return Task.FromResult(false);
            }

            if (_woken)
            {
                _woken = false;
                return Task.FromResult(true);
            }

            _pending = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
            return _pending.Task;
        }
    }

    public void Wake()
    {
        TaskCompletionSource<bool>? pending;
        lock (_lock)
        {
            pending = _pending;
            _pending = null;
            _woken = pending is null;
        }

        pending?.TrySetResult(true);
    }

    public void End()
    {
        TaskCompletionSource<bool>? pending;
        lock (_lock)
        {
            _ended = true;
            pending = _pending;
            _pending = null;
        }

        pending?.TrySetResult(false);
    }

    public void EndAfter(TimeProvider time, TimeSpan wait) =>
        _timer = time.CreateTimer(static state => ((TakeWaiter)state!).End(), this, wait, Timeout.InfiniteTimeSpan);

    public void Dispose() => _timer?.Dispose();
}
