namespace PushQueue.Queues;

/// <summary>One put that waits for the end of its message.</summary>
internal sealed class FinishWaiter(FinishWaiters owner, QueueName queue, MessageId? id) : IDisposable
{
    private volatile TaskCompletionSource<FinishedMessage?> _finished = New();
    private int _disposed;

    public QueueName Queue => queue;

    /// <summary>Null until the put has answered. Guarded by the line that the waiter stands in.</summary>
    public MessageId? Id { get; set; } = id;

    /// <summary>Completes with how the message ended, or with null where the wait is over.</summary>
    public Task<FinishedMessage?> Finished => _finished.Task;

    /// <summary>The put has answered. An end that was told meanwhile counts.</summary>
    public void Identify(MessageId given)
    {
        if (Id is null)
        {
            owner.Identify(this, given);
        }
    }

    /// <summary>Another message that had the same id before has ended; the wait continues.</summary>
    public void WaitOn() => _finished = New();

    public void Finish(FinishedMessage outcome) => _finished.TrySetResult(outcome);

    public void End() => _finished.TrySetResult(null);

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            owner.Remove(this);
        }
    }

    private static TaskCompletionSource<FinishedMessage?> New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
