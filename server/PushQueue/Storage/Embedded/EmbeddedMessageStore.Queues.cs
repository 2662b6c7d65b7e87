using PushQueue.Queues;

namespace PushQueue.Storage.Embedded;

/// <summary>Queues as a whole.</summary>
internal sealed partial class EmbeddedMessageStore
{
    public async ValueTask<BrokerResult<int>> PurgeAsync(QueueName queue, int count)
    {
        return Find(queue) is { } found ? await AnswerWhenSyncedAsync(found.Purge(count)) : 0;
    }

    public async ValueTask<BrokerResult<bool>> DeleteQueueAsync(QueueName queue)
    {
        if (Find(queue) is not { } found)
        {
            return false;
        }

        // Out of the directory before it is deleted: nobody can find a queue that is gone.
        _queues.TryRemove(new KeyValuePair<QueueName, EmbeddedQueue>(queue, found));
        return await AnswerWhenSyncedAsync(found.Delete());
    }

    public ValueTask<QueueInfo?> GetQueueAsync(QueueName queue) => new(Find(queue)?.Info());

    public ValueTask<QueuePage> ListQueuesAsync(string? after, int limit)
    {
        var names = _queues.Keys.Select(static name => name.Value).ToArray();
        Array.Sort(names, StringComparer.Ordinal);
        var from = 0;
        if (after is not null)
        {
            from = Array.BinarySearch(names, after, StringComparer.Ordinal);
            from = from < 0 ? ~from : from + 1;
        }

        var page = new List<QueueInfo>();
        var at = from;
        for (; at < names.Length && page.Count < limit; at++)
        {
            if (Find(QueueName.Parse(names[at])) is { } queue)
            {
                _ = _services.QueueFaults.Try(queue.Name, (queue, page), static state =>
                {
                    if (state.queue.Info() is { } info)
                    {
                        state.page.Add(info);
                    }
                });
            }
        }

        return new(new QueuePage(page, names.Length, at < names.Length && page.Count > 0 ? page[^1].Name.Value : null));
    }

    public async ValueTask<BrokerResult<QueueSettings>> UpdateSettingsAsync(QueueName queue, QueueSettingsPatch patch)
    {
        if (UnavailableReason is { } reason)
        {
            return new BrokerFailure(QueueError.StoreUnavailable, reason);
        }

        Recorded<QueueSettings>? settings;
        while ((settings = GetOrCreate(queue).UpdateSettings(patch)) is null)
        {
            // Deleted at that very moment: the settings make the queue again.
        }

        return await AnswerWhenSyncedAsync(settings.Value);
    }
}
