using Microsoft.Extensions.Logging;
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
        lock (_creation)
        {
            if (_queues.TryRemove(new KeyValuePair<QueueName, EmbeddedQueue>(queue, found)))
            {
                _names.Remove(queue.Value);
            }
        }

        var deleted = found.Delete();
        _subscriptions.End(found);
        return await AnswerWhenSyncedAsync(deleted);
    }

    public ValueTask<QueueInfo?> GetQueueAsync(QueueName queue) => new(Find(queue)?.Info());

    public ValueTask<IReadOnlyList<QueueName>> SubscribersAsync(QueueName queue) => new(
        [.. _subscriptions.Table.SubscribersOf(queue).OrderBy(static subscriber => subscriber.Value, StringComparer.Ordinal)]);

    public ValueTask<QueuePage> ListQueuesAsync(string? after, int limit)
    {
        // One more than the page holds, to know whether another page follows.
        var names = _names.Page(after, limit + 1, out var total);
        var page = new List<QueueInfo>(names.Count);
        foreach (var name in names.Take(limit))
        {
            if (Find(QueueName.Parse(name)) is { } queue)
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

        return new(new QueuePage(page, total, names.Count > limit && limit > 0 ? names[limit - 1] : null));
    }

    public ValueTask<IReadOnlyList<string>> ListNamesAsync(string? after, int limit) => new(_names.Page(after, limit, out _));

    public ValueTask KeepAsync(QueueName queue, TimeSpan ahead)
    {
        Find(queue)?.Keep(ahead);
        return ValueTask.CompletedTask;
    }

    public void DeleteUnused(EmbeddedQueue queue)
    {
        if (_services.Listener.Uses(queue.Name))
        {
            queue.Keep(TimeSpan.Zero);
            return;
        }

        if (queue.DeleteUnused() is not { } left)
        {
            return;
        }

        // A put that finds it deleted waits for this and makes the queue again.
        lock (_creation)
        {
            if (_queues.TryRemove(new KeyValuePair<QueueName, EmbeddedQueue>(queue.Name, queue)))
            {
                _names.Remove(queue.Name.Value);
            }
        }

        _subscriptions.End(queue);
        LogUnused(_logger, queue.Name.Value, left);
    }

    [LoggerMessage(1010, LogLevel.Information, 
        "Queue {Queue} was deleted: it was not used for the time of its setting expires. It contained {Messages} messages")]
    private static partial void LogUnused(ILogger logger, string queue, int messages);

    public async ValueTask<BrokerResult<QueueSettings>> UpdateSettingsAsync(QueueName queue, QueueSettingsPatch patch)
    {
        if (UnavailableReason is { } reason)
        {
            return new BrokerFailure(QueueError.StoreUnavailable, reason);
        }

        if (patch.Condition == SettingsCondition.NewQueue && Find(queue) is { } existing)
        {
            // Each lease request asks; only the first one of a queue writes.
            return existing.Settings;
        }

        if (patch.Subscriptions is not null)
        {
            return RefusesPuts() is { } refusal ? refusal
                : _subscriptions.Change(queue, patch) is var changed && changed.Ok ? await AnswerWhenSyncedAsync(changed.Value)
                : changed.Failure;
        }

        Recorded<QueueSettings>? settings;
        while ((settings = GetOrCreate(queue).UpdateSettings(patch)) is null)
        {
            // Deleted at that very moment: the settings make the queue again.
        }

        return await AnswerWhenSyncedAsync(settings.Value);
    }
}
