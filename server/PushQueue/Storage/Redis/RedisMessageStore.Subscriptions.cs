using PushQueue.Queues;
using StackExchange.Redis;

namespace PushQueue.Storage.Redis;

/// <summary>Subscriptions between queues; the rules are in Scripts/Part.Feeds.lua.</summary>
internal sealed partial class RedisMessageStore
{
    private static readonly BrokerFailure TooManySubscriptions = new(
        QueueError.TooManySubscriptions,
        $"The server may have {QueueSubscriptions.TotalMax} queue subscriptions; remove some, or use patterns. Nothing was changed.");

    public async ValueTask<IReadOnlyList<QueueName>> SubscribersAsync(QueueName queue)
    {
        var reply = await RunAsync(RedisScript.Subscribers, queue, new RedisValue[2]);
        return [.. reply!.Skip(1).Select(static name => QueueName.Parse(name!)).OrderBy(static name => name.Value, StringComparer.Ordinal)];
    }

    /// <summary>Messages that wait for a consumer in the queues that feed another one now go to history.</summary>
    private async ValueTask FeedHistoriesAsync(QueueName subscriber, QueueSubscriptions subscriptions)
    {
        foreach (var source in await _directory.SourcesOfAsync(subscriber, subscriptions))
        {
            _listener!.OnFeeding(source);
        }
    }
}
