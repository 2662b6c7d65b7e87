namespace PushQueue.Storage.Embedded;

/// <summary>
/// One operation on several queues at once, as a <see cref="QueueTransaction"/> is one on a single queue: holds all their locks, taken in
/// the order of the queues' numbers, which every operation on several queues keeps. Dead-letter queues come last; only the cleaner ever
/// holds several of them.
/// </summary>
internal readonly ref struct SharedTransaction
{
    private readonly ReadOnlySpan<EmbeddedQueue> _queues;

    /// <param name="inLockOrder">The queues by their numbers.</param>
    public SharedTransaction(ReadOnlySpan<EmbeddedQueue> inLockOrder)
    {
        _queues = inLockOrder;
        var entered = 0;
        try
        {
            foreach (var queue in inLockOrder)
            {
                queue.Enter();
                entered++;
            }

            Now = inLockOrder[0].State.Services.Clock.NowMs();
            foreach (var queue in inLockOrder)
            {
                queue.State.Advance(Now);
            }
        }
        catch
        {
            Leave(inLockOrder[..entered]);
            throw;
        }
    }

    /// <summary>Unix milliseconds by the clock of the queues.</summary>
    public long Now { get; }

    public void Dispose()
    {
        Leave(_queues);
        foreach (var queue in _queues)
        {
            queue.Notify();
        }
    }

    private static void Leave(ReadOnlySpan<EmbeddedQueue> queues)
    {
        foreach (var queue in queues)
        {
            queue.Leave();
        }
    }
}
