using PushQueue.Queues;

namespace PushQueue.Storage.Embedded;

/// <summary>
/// Which queues get copies of what is put into others. Changes are made one after another, under the first of all locks. A change is
/// recorded before any queue copies by it, so that the log never holds a copy without its subscription.
/// </summary>
/// <param name="queues">All queues.</param>
/// <param name="creation">The lock under which queues are made.</param>
/// <param name="directory">Finds queues and makes them.</param>
internal sealed class StoreSubscriptions(Func<IEnumerable<EmbeddedQueue>> queues, Lock creation, IQueueDirectory directory)
{
    private static readonly BrokerFailure TooMany = new(
        QueueError.TooManySubscriptions,
        $"The server may have {QueueSubscriptions.TotalMax} queue subscriptions; remove some, or use patterns. Nothing was changed.");

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

    /// <summary>Changes settings, the subscriptions among them.</summary>
    public BrokerResult<Recorded<QueueSettings>> Change(QueueName name, QueueSettingsPatch patch)
    {
        lock (_gate)
        {
            while (true)
            {
                var queue = directory.GetOrCreate(name);
                var before = _table.Of(queue);
                if (_table.Count - before.Count + patch.Subscriptions!.Count > QueueSubscriptions.TotalMax)
                {
                    return TooMany;
                }

                if (queue.UpdateSettings(patch) is { } settings)
                {
                    ApplyLocked(queue, before, settings.Value.Subscriptions);
                    return settings;
                }
            }
        }
    }

    /// <summary>A queue was deleted.</summary>
    public void End(EmbeddedQueue deleted)
    {
        if (_table.Of(deleted).Count == 0)
        {
            return;
        }

        lock (_gate)
        {
            ApplyLocked(deleted, _table.Of(deleted), QueueSubscriptions.None);
        }
    }

    /// <summary>From the return of this on, puts into the queues concerned follow the new subscriptions.</summary>
    private void ApplyLocked(EmbeddedQueue subscriber, QueueSubscriptions before, QueueSubscriptions now)
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
                queue.Feed(table.SubscribersOf(queue));
            }
        }
    }
}
