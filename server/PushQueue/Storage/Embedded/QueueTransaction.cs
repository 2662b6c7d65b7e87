namespace PushQueue.Storage.Embedded;

/// <summary>
/// One operation on a queue: holds the queue's lock from its beginning, for which it brings the queue to the present, to its disposal,
/// after which the listener gets the events. Two transactions are never nested, because events are passed on without any lock.
/// </summary>
internal readonly ref struct QueueTransaction
{
    private readonly EmbeddedQueue _queue;
    private readonly Lock _gate;

    public QueueTransaction(EmbeddedQueue queue, Lock gate, QueueState state)
    {
        _queue = queue;
        _gate = gate;
        State = state;
        gate.Enter();
        try
        {
            Now = state.Services.Clock.NowMs();
            state.Advance(Now);
        }
        catch
        {
            gate.Exit();
            throw;
        }
    }

    public QueueState State { get; }

    /// <summary>Unix milliseconds by the clock of the queues.</summary>
    public long Now { get; }

    public void Dispose()
    {
        _gate.Exit();
        _queue.Notify();
    }
}
