using PushQueue.Queues;
using StackExchange.Redis;

namespace PushQueue.Storage.Redis;

/// <summary>Subscriptions between queues, as far as the node knows of them; the rules are in Scripts/Part.Feeds.lua.</summary>
internal static class RedisFeeds
{
    public static readonly BrokerFailure TooManySubscriptions = new(
        QueueError.TooManySubscriptions,
        $"The server may have {QueueSubscriptions.TotalMax} queue subscriptions; remove some, or use patterns. Nothing was changed.");

    /// <summary>The names in the answer of Scripts/Subscribers.lua, in their order.</summary>
    public static IReadOnlyList<QueueName> NamesIn(RedisValue[] reply) =>
        [.. reply.Skip(1).Select(static name => QueueName.Parse(name!)).OrderBy(static name => name.Value, StringComparer.Ordinal)];

    /// <summary>Messages that wait for a consumer in the queues that feed another one now go to history.</summary>
    public static async ValueTask FeedHistoriesAsync(
        this RedisDirectory directory, QueueName subscriber, QueueSubscriptions subscriptions, IQueueChangeListener listener)
    {
        foreach (var source in await directory.SourcesOfAsync(subscriber, subscriptions))
        {
            listener.OnFeeding(source);
        }
    }
}
