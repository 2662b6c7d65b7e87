using PushQueue.Queues;
using StackExchange.Redis;

namespace PushQueue.Storage.Redis;

/// <summary>
/// Copies what the sources of subscriptions held when these began, in bounded steps. Any node may do it, and several at once: each step is
/// a script (Scripts/CopyEarlier.lua) that also notes how far it is.
/// </summary>
/// <param name="connection">The way to Redis.</param>
/// <param name="directory">Finds the queues that a pattern fits.</param>
/// <param name="run">Runs the script on a queue: with its arguments, and with its keys where these are not the queue's own.</param>
internal sealed class RedisEarlier(
    RedisConnection connection, RedisDirectory directory, Func<QueueName, RedisValue[], RedisKey[]?, ValueTask<RedisValue[]?>> run)
{
    // Other queues that are due have their turn, too.
    private const int StepsMax = 100;
    private const int MessagesMax = 500;
    private const int BytesMax = 1024 * 1024;

    /// <summary>The queues whose messages a change of subscriptions may copy first.</summary>
    public async ValueTask<IReadOnlyCollection<QueueName>> SourcesAsync(QueueName subscriber, QueueSubscriptions? subscriptions) =>
        subscriptions is { EarliestText.Length: > 0 }
            ? await directory.SourcesOfAsync(
                subscriber, QueueSubscriptions.Of(subscriptions.Entries.Where(static entry => entry.FromEarliest)))
            : [];

    /// <summary>The keys of a queue and of its sources on a Redis Cluster; null where the queue's own are enough.</summary>
    public RedisKey[]? KeysWith(QueueName queue, IReadOnlyCollection<QueueName> sources) => connection.IsCluster && sources.Count > 0
        ? [.. connection.Keys.AllOnCluster(queue), .. sources.SelectMany(connection.Keys.AllOnCluster)]
        : null;

    /// <summary>Copies the next parts. Whether more is to be copied.</summary>
    public async ValueTask<bool> CopyAsync(QueueName queue)
    {
        var source = RedisValue.EmptyString;
        for (var step = 0; step < StepsMax; step++)
        {
            var keys = source.IsNullOrEmpty ? null : KeysWith(queue, [QueueName.Parse(source!)]);
            if (await run(queue, [default, default, source, MessagesMax, BytesMax], keys) is not { } reply || (long)reply[1] == 0)
            {
                return false;
            }

            source = reply[2];
        }

        return true;
    }
}
