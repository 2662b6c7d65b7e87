using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using PushQueue.Queues;
using StackExchange.Redis;

namespace PushQueue.Storage.Redis;

/// <summary>Subscriptions between queues, as far as the node knows of them; the rules are in Scripts/Part.Feeds.lua.</summary>
/// <param name="directory">Finds the queues that a pattern fits.</param>
/// <param name="listener">The store's listener; it does not exist before the store is open.</param>
/// <param name="logger">For failures.</param>
internal sealed class RedisFeeds(RedisDirectory directory, Func<IQueueChangeListener> listener, ILogger logger)
{
    // Stored subscriptions whose sources could not be read.
    private readonly ConcurrentDictionary<QueueName, QueueSubscriptions> _waiting = new();

    /// <summary>The names in the answer of Scripts/Subscribers.lua, in their order.</summary>
    public static IReadOnlyList<QueueName> NamesIn(RedisValue[] reply) =>
        [.. reply.Skip(1).Select(static name => QueueName.Parse(name!)).OrderBy(static name => name.Value, StringComparer.Ordinal)];

    /// <summary>
    /// Messages that wait for a consumer in the queues that feed another one now go to history. The subscriptions are stored already, so a
    /// failure is not the caller's: it is tried again with the heartbeats.
    /// </summary>
    public async ValueTask FeedHistoriesAsync(QueueName subscriber, QueueSubscriptions subscriptions)
    {
        try
        {
            foreach (var source in await directory.SourcesOfAsync(subscriber, subscriptions))
            {
                listener().OnFeeding(source);
            }
        }
        catch (StoreUnavailableException e)
        {
            Log.FeedWaits(logger, subscriber.Value, e.Message);
            _waiting[subscriber] = subscriptions;
        }
    }

    /// <summary>Called with each heartbeat: tries again what has failed.</summary>
    public async Task RetryAsync()
    {
        foreach (var waiting in _waiting)
        {
            if (_waiting.TryRemove(waiting))
            {
                await FeedHistoriesAsync(waiting.Key, waiting.Value);
            }
        }
    }
}
