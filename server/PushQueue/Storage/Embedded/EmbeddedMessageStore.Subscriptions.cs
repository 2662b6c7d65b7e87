using PushQueue.Queues;

namespace PushQueue.Storage.Embedded;

/// <summary>
/// Which queues get copies of what is put into others. Changes are made one after another (<c>_subscribing</c>, the first of all locks). A
/// change is recorded before any queue copies by it, so that the log never holds a copy without its subscription.
/// </summary>
internal sealed partial class EmbeddedMessageStore
{
    public ValueTask<IReadOnlyList<QueueName>> SubscribersAsync(QueueName queue)
    {
        // Also for a queue that does not exist yet.
        var subscribers = Find(queue) is { } found ? found.Subscribers?.Subscribers.Select(static subscriber => subscriber.Queue.Name)
            : _subscriptions.SubscribersOf(queue);
        return new(subscribers is null ? [] : [.. subscribers.OrderBy(static name => name.Value, StringComparer.Ordinal)]);
    }

    private void RestoreSubscriptions(IReadOnlyList<EmbeddedQueue> queues)
    {
        _subscriptions = SubscriptionTable.Of(queues);
        foreach (var queue in queues)
        {
            queue.Subscribers = _subscriptions.SubscribersOf(queue);
        }
    }

    private async ValueTask<BrokerResult<QueueSettings>> SubscribeAsync(QueueName name, QueueSettingsPatch patch)
    {
        if (RefusesPuts() is { } refusal)
        {
            return refusal;
        }

        BrokerResult<Recorded<QueueSettings>> result;
        lock (_subscribing)
        {
            result = Subscribe(name, patch);
        }

        return result.Ok ? await AnswerWhenSyncedAsync(result.Value) : result.Failure;
    }

    private BrokerResult<Recorded<QueueSettings>> Subscribe(QueueName name, QueueSettingsPatch patch)
    {
        while (true)
        {
            var queue = GetOrCreate(name);
            var before = _subscriptions.Of(queue);
            if (_subscriptions.Count - before.Count + patch.Subscriptions!.Count > QueueSubscriptions.TotalMax)
            {
                return new BrokerFailure(
                    QueueError.TooManySubscriptions,
                    $"The server may have {QueueSubscriptions.TotalMax} queue subscriptions; remove some, or use patterns. Nothing was changed.");
            }

            if (queue.UpdateSettings(patch) is { } settings)
            {
                Apply(queue, before, settings.Value.Subscriptions);
                return settings;
            }
        }
    }

    private void EndSubscriptions(EmbeddedQueue deleted)
    {
        if (_subscriptions.Of(deleted).Count == 0)
        {
            return;
        }

        lock (_subscribing)
        {
            Apply(deleted, _subscriptions.Of(deleted), QueueSubscriptions.None);
        }
    }

    /// <summary>From the return of this on, puts into the queues concerned follow the new subscriptions.</summary>
    private void Apply(EmbeddedQueue subscriber, QueueSubscriptions before, QueueSubscriptions now)
    {
        var table = _subscriptions.With(subscriber, now);
        lock (_creation)
        {
            // A queue that is being made is in the directory by now, or is made by the new table.
            _subscriptions = table;
        }

        foreach (var queue in _queues.Values)
        {
            if (queue != subscriber && (before.Fits(queue.Name) || now.Fits(queue.Name)))
            {
                queue.Feed(table.SubscribersOf(queue));
            }
        }
    }
}
