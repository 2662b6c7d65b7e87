using PushQueue.Storage.Embedded.Records;

namespace PushQueue.Storage.Embedded;

/// <summary>A queue that copies what the sources of its subscriptions held when these began.</summary>
internal static class QueueEarlier
{
    /// <summary>
    /// From the return of this on, each put of the source is copied to its subscribers, and what was put before is to be copied to one of
    /// them. The caller calls <see cref="EmbeddedQueue.Notify"/> of both queues when it holds no lock.
    /// </summary>
    /// <returns>False where there is nothing to copy.</returns>
    public static bool FeedFromEarliest(this EmbeddedQueue source, SubscriberSet? subscribers, EmbeddedQueue queue)
    {
        var (first, second) = queue.Number < source.Number ? (queue, source) : (source, queue);
        first.Enter();
        try
        {
            second.Enter();
            try
            {
                source.State.Advance(source.State.Services.Clock.NowMs());
                source.Subscribers = subscribers;
                if (source.State.Waiting.Ready.Count > 0)
                {
                    // Messages that wait for a consumer wait no longer: they go to history.
                    source.State.Events.Ready();
                }

                if (source.State.IsDeleted)
                {
                    queue.EndEarlierLocked(source.Number);
                    return false;
                }

                return !queue.State.IsDeleted && Begin(source.State, queue);
            }
            finally
            {
                second.Leave();
            }
        }
        finally
        {
            first.Leave();
        }
    }

    /// <summary>Both locks are held.</summary>
    private static bool Begin(QueueState source, EmbeddedQueue queue)
    {
        var state = queue.State;
        var nothing = source.Index.All.Count == 0 && source.History.Count == 0 && !source.History.Behind(0).Any();
        if (nothing)
        {
            queue.EndEarlierLocked(source.Number);
            return false;
        }

        var copying = (state.Earlier ??= new EarlierCopyings()).GetOrAdd(source.Number);
        copying.Bound = source.Index.NextSequence;
        copying.BeganAtMs = Math.Max(source.LastAvailableMs, Math.Max(state.LastAvailableMs, state.Services.Clock.NowMs()));
        state.ComeAfter(copying.BeganAtMs);
        state.Journal.Earlier(copying, ended: false);
        return true;
    }

    /// <summary>Null where the queue has nothing to copy from the source any more.</summary>
    public static EarlierCopying? FindEarlier(this EmbeddedQueue queue, EmbeddedQueue source)
    {
        using var transaction = queue.Begin();
        return transaction.State.IsDeleted ? null : transaction.State.Earlier?.Find(source.Number);
    }

    /// <summary>
    /// The subscription was removed. The caller calls <see cref="EmbeddedQueue.Notify"/> when it holds no lock.
    /// </summary>
    public static void EndEarlierSilently(this EmbeddedQueue queue, EmbeddedQueue source)
    {
        queue.Enter();
        try
        {
            queue.EndEarlierLocked(source.Number);
        }
        finally
        {
            queue.Leave();
        }
    }

    /// <summary>All is copied, or the source was deleted.</summary>
    public static void EndEarlier(this EmbeddedQueue queue, EmbeddedQueue source)
    {
        using var transaction = queue.Begin();
        queue.EndEarlierLocked(source.Number);
    }

    /// <summary>The same for a caller that holds the lock. The queue gives out messages again once nothing is to be copied.</summary>
    public static void EndEarlierLocked(this EmbeddedQueue queue, long source)
    {
        var state = queue.State;
        if (state.IsDeleted || state.Earlier?.Find(source) is not { } copying)
        {
            return;
        }

        _ = state.Earlier.Remove(source);
        state.Journal.Earlier(copying, ended: true);
        if (state.Earlier.Count == 0)
        {
            state.Earlier = null;
            state.Events.Ready();
        }
    }

    /// <summary>The disk took none of the copies: the next step makes them again.</summary>
    public static void TakeBack(this EmbeddedQueue queue, EarlierCopying copying, (long Offset, long Sequence) before)
    {
        using var transaction = queue.Begin();
        (copying.Offset, copying.Sequence) = before;
        if (!transaction.State.IsDeleted && transaction.State.Earlier?.Find(copying.Source) == copying)
        {
            // A record of the queue's state may have said otherwise meanwhile.
            transaction.State.Journal.Earlier(copying, ended: false);
        }
    }
}
