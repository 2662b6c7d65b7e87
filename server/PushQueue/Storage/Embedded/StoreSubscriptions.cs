using PushQueue.Queues;

namespace PushQueue.Storage.Embedded;

/// <summary>
/// Which queues get copies of what is put into others. Changes are made one after another, under the first of all locks. A change is
/// recorded before any queue copies by it, so that the log never holds a copy without its subscription.
/// </summary>
/// <param name="queues">All queues.</param>
/// <param name="creation">The lock under which queues are made.</param>
/// <param name="directory">Finds queues and makes them.</param>
/// <param name="earlier">Copies what sources held when they began to feed a queue.</param>
internal sealed class StoreSubscriptions(
    Func<IEnumerable<EmbeddedQueue>> queues, Lock creation, IQueueDirectory directory, EarlierCopies earlier)
{
    private readonly Lock _gate = new();
    private volatile SubscriptionTable _table = SubscriptionTable.Empty;

    /// <summary>All subscriptions as they are now.</summary>
    public SubscriptionTable Table => _table;

    /// <summary>Begins with the queues that the log holds.</summary>
    public void Restore(IReadOnlyList<EmbeddedQueue> restored)
    {
        _table = SubscriptionTable.Of(restored);
        foreach (var queue in restored)
        {
            queue.Subscribers = _table.SubscribersOf(queue);
        }
    }

    /// <summary>
    /// Continues what an earlier run has left: copying what sources held. Called before the store serves anyone, with the log open.
    /// </summary>
    public void Continue(IReadOnlyList<EmbeddedQueue> restored)
    {
        var byNumber = restored.ToDictionary(static queue => queue.Number);
        foreach (var queue in restored)
        {
            foreach (var copying in queue.State.Earlier?.All.ToArray() ?? [])
            {
                if (!byNumber.TryGetValue(copying.Source, out var source) || !queue.Settings.Subscriptions.FitsFromEarliest(source.Name))
                {
                    queue.EndEarlierLocked(copying.Source);
                }
                else if (copying.Bound > 0 || source.FeedFromEarliest(source.Subscribers, queue))
                {
                    queue.State.ComeAfter(copying.BeganAtMs);
                    earlier.Add(queue, source);
                }
            }

            queue.Notify();
        }
    }

    /// <summary>Changes settings, the subscriptions among them.</summary>
    public BrokerResult<Recorded<QueueSettings>> Change(QueueName name, QueueSettingsPatch patch)
    {
        var changed = new List<EmbeddedQueue>();
        var isNew = false;
        try
        {
            lock (_gate)
            {
                return ChangeLocked(name, patch, changed, ref isNew);
            }
        }
        finally
        {
            // Listeners are called without the lock.
            if (isNew)
            {
                directory.NotifyMade(name);
            }

            changed.ForEach(static queue => queue.Notify());
        }
    }

    /// <summary>A queue was deleted.</summary>
    public void End(EmbeddedQueue deleted)
    {
        var changed = new List<EmbeddedQueue>();
        lock (_gate)
        {
            // Under the lock: a change that began before the deletion enters its subscriptions first.
            if (_table.Of(deleted) is { Count: > 0 } before)
            {
                ApplyLocked(deleted, before, QueueSubscriptions.None, changed);
            }
        }

        changed.ForEach(static queue => queue.Notify());
    }

    /// <param name="name">The subscriber.</param>
    /// <param name="patch">The change.</param>
    /// <param name="changed">Gets the queues that have something to notify of.</param>
    /// <param name="isNew">Set where the subscriber was made.</param>
    private BrokerResult<Recorded<QueueSettings>> ChangeLocked(
        QueueName name, QueueSettingsPatch patch, List<EmbeddedQueue> changed, ref bool isNew)
    {
        while (true)
        {
            // Before the queue is made: a refusal changes nothing.
            var had = directory.Find(name) is { } existing ? _table.Of(existing).Count : 0;
            if (_table.Count - had + patch.Subscriptions!.Count > QueueSubscriptions.TotalMax)
            {
                return QueueSubscriptions.TooMany;
            }

            var queue = directory.GetOrCreateSilently(name, out var made);
            isNew |= made;
            var sources = FirstCopiedFrom(queue, patch.Subscriptions);
            if (queue.UpdateSettingsSilently(patch, sources) is { } settings)
            {
                changed.Add(queue);
                ApplyLocked(queue, _table.Of(queue), settings.Value.Subscriptions, changed);
                foreach (var gone in sources.Count > 0 ? sources.Except(queues()) : [])
                {
                    // It was deleted meanwhile, and perhaps before it could feed the queue.
                    queue.EndEarlierSilently(gone);
                }

                return settings;
            }
        }
    }

    /// <summary>The queues that a change lets feed another one, and whose messages are to be copied first.</summary>
    private List<EmbeddedQueue> FirstCopiedFrom(EmbeddedQueue subscriber, QueueSubscriptions now)
    {
        var before = _table.Of(subscriber);
        return now.EarliestText.Length == 0
            ? []
            : [.. queues().Where(queue => queue != subscriber && queue.State.Index.NextSequence > 1 && IsNew(queue, before, now))];
    }

    private static bool IsNew(EmbeddedQueue source, QueueSubscriptions before, QueueSubscriptions now) =>
        now.FitsFromEarliest(source.Name) && !before.Fits(source.Name);

    /// <summary>From the return of this on, puts into the queues concerned follow the new subscriptions.</summary>
    private void ApplyLocked(
        EmbeddedQueue subscriber, QueueSubscriptions before, QueueSubscriptions now, List<EmbeddedQueue> changed)
    {
        var table = _table.With(subscriber, now);
        lock (creation)
        {
            // A queue that is being made is among all queues by now, or is made by the new table.
            _table = table;
        }

        foreach (var queue in queues())
        {
            if (queue != subscriber && (before.Fits(queue.Name) || now.Fits(queue.Name)))
            {
                if (subscriber.State.Earlier is not null && !now.FitsFromEarliest(queue.Name))
                {
                    subscriber.EndEarlierSilently(queue);
                }

                if (!IsNew(queue, before, now))
                {
                    queue.Feed(table.SubscribersOf(queue));
                }
                else if (queue.FeedFromEarliest(table.SubscribersOf(queue), subscriber))
                {
                    earlier.Add(subscriber, queue);
                }

                changed.Add(queue);
            }
        }
    }
}
