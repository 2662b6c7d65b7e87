using PushQueue.Queues;
using StackExchange.Redis;

namespace PushQueue.Storage.Redis;

/// <summary>The names of all queues, in their order.</summary>
internal sealed class RedisDirectory(RedisConnection connection)
{
    private const int PageSize = 1000;

    /// <summary>Some of the names, behind that one.</summary>
    public ValueTask<RedisValue[]> NamesAsync(string? after, int limit)
    {
        // A number that stands in the call would also be an order, for the other overload of newer versions.
        var skip = 0L;
        var exclude = after is null ? Exclude.None : Exclude.Start;
        return connection.DoAsync(database => database.SortedSetRangeByValueAsync(
            connection.Keys.Directory, after ?? default(RedisValue), default, exclude, skip, limit));
    }

    /// <summary>
    /// The queues that feed another one: those that its subscriptions name, and those in the directory that fit its patterns.
    /// </summary>
    public async ValueTask<IReadOnlyCollection<QueueName>> SourcesOfAsync(QueueName subscriber, QueueSubscriptions subscriptions)
    {
        var named = subscriptions.Entries.Where(static entry => !NamePattern.Has(entry.To));
        var sources = new HashSet<QueueName>(named.Select(static entry => QueueName.Parse(entry.To)));
        if (subscriptions.Entries.Any(static entry => NamePattern.Has(entry.To)))
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
        return sources;
    }
}
