using PushQueue.Queues;
using StackExchange.Redis;

namespace PushQueue.Storage.Redis;

/// <summary>Subscriptions between queues; the rules are in Scripts/Part.Feeds.lua.</summary>
internal sealed partial class RedisMessageStore
{
    /// <summary>The control of a put that lacks keys of subscribers.</summary>
    private const int KeysMissing = -2;

    private static readonly BrokerFailure TooManySubscriptions = new(
        QueueError.TooManySubscriptions,
        $"The server may have {QueueSubscriptions.TotalMax} queue subscriptions; remove some, or use patterns. Nothing was changed.");

    public async ValueTask<IReadOnlyList<QueueName>> SubscribersAsync(QueueName queue)
    {
        var reply = await RunAsync(RedisScript.Subscribers, queue, new RedisValue[2]);
        return [.. reply!.Skip(1).Select(static name => QueueName.Parse(name!)).OrderBy(static name => name.Value, StringComparer.Ordinal)];
    }

    /// <summary>A script reaches the keys of one slot only.</summary>
    private BrokerFailure? WhyNoSubscription(QueueName queue, QueueSettingsPatch patch)
    {
        if (!_connection.IsCluster || patch.Subscriptions is not { } subscriptions)
        {
            return null;
        }

        foreach (var entry in subscriptions.Entries)
        {
            if (RedisKeys.TagOfPattern(entry.To) != RedisKeys.TagOf(queue.Value))
            {
                return new BrokerFailure(
                    QueueError.BadOption,
                    $"On a Redis Cluster '{queue}' can only subscribe to queues with the same hash tag, and '{entry.To}' has another one or none; "
                    + "write both names with the same {tag}, as in {shop}billing and {shop}orders.");
            }
        }

        return null;
    }

    /// <summary>What waits for a consumer in the queues that feed another one now goes to history.</summary>
    private async ValueTask FeedHistoriesAsync(QueueName subscriber, QueueSubscriptions subscriptions)
    {
        foreach (var source in await SourcesOfAsync(subscriber, subscriptions))
        {
            _listener!.OnFeeding(source);
        }
    }

    /// <summary>The existing queues that subscriptions mean.</summary>
    private async ValueTask<IReadOnlyList<QueueName>> SourcesOfAsync(QueueName subscriber, QueueSubscriptions subscriptions)
    {
        const int PageSize = 1000;
        var sources = new HashSet<QueueName>();
        foreach (var entry in subscriptions.Entries.Where(static entry => !NamePattern.Has(entry.To)))
        {
            sources.Add(QueueName.Parse(entry.To));
        }

        if (sources.Count < subscriptions.Count)
        {
            string? after = null;
            do
            {
                var names = await NamesAsync(after, PageSize);
                sources.UnionWith(names.Select(static name => QueueName.Parse(name!)).Where(subscriptions.Fits));
                after = names.Length == PageSize ? (string?)names[^1] : null;
            }
            while (after is not null);
        }

        _ = sources.Remove(subscriber);
        return [.. sources];
    }
}
