using PushQueue.Queues;
using StackExchange.Redis;
using static PushQueue.Storage.Redis.RedisArguments;

namespace PushQueue.Storage.Redis;

/// <summary>Queues as a whole.</summary>
internal sealed partial class RedisMessageStore
{
    public async ValueTask<BrokerResult<int>> PurgeAsync(QueueName queue, int count)
    {
        try
        {
            return await RunAsync(RedisScript.Purge, queue, [default, default, Math.Min(count, MessagesPerScriptMax)]) is { } reply
                ? (int)reply[1]
                : 0;
        }
        catch (StoreUnavailableException e)
        {
            return Failure(e);
        }
    }

    public async ValueTask<BrokerResult<bool>> DeleteQueueAsync(QueueName queue)
    {
        try
        {
            return await DeleteAsync(queue, onlyUnused: false) is not null;
        }
        catch (StoreUnavailableException e)
        {
            return Failure(e);
        }
    }

    public async ValueTask KeepAsync(QueueName queue, TimeSpan ahead) =>
        _ = await RunAsync(RedisScript.Keep, queue, [default, default, Ms(ahead), 0]);

    /// <summary>Deletes a queue that nobody has used for as long as its setting says, unless somebody is connected to it here.</summary>
    /// <returns>When something is due there again; 0 for never.</returns>
    private async Task<long> EndUnusedAsync(QueueName queue)
    {
        if (!_listener!.Uses(queue) && await DeleteAsync(queue, onlyUnused: true) is { } messages)
        {
            Log.Unused(_logger, queue.Value, messages);
            return 0;
        }

        return await RunAsync(RedisScript.Keep, queue, [default, default, 0, 0]) is { } reply ? (long)reply[1] : 0;
    }

    /// <returns>How many messages were in the queue; null where it does not exist, or has been used and was to go only if not.</returns>
    private async Task<long?> DeleteAsync(QueueName queue, bool onlyUnused)
    {
        if (UnavailableReason is { } reason)
        {
            throw new StoreUnavailableException(reason);
        }

        var known = Known(queue);
        var reply = await RunAsync(RedisScript.DeleteQueue, known.Keys, [NowMs(), Caller(known), onlyUnused ? 1 : 0]);
        if (onlyUnused && (long)reply[0] == 0)
        {
            return null;
        }

        known.ForgetOffset();
        _totals.Add(0, -(long)reply[1], -(long)reply[2]);

        // The directory follows; a queue that was made again meanwhile is put back.
        if (await _connection.DoAsync(database => database.SortedSetRemoveAsync(_connection.Keys.Directory, queue.Value)))
        {
            _totals.Add(-1, 0, 0);
        }

        if (await _connection.DoAsync(database => database.HashExistsAsync(known.Keys[0], "epoch")))
        {
            await ListAsync(queue);
        }

        return (long)reply[0] == 1 ? (long)reply[1] : null;
    }

    public async ValueTask<QueueInfo?> GetQueueAsync(QueueName queue) =>
        await RunAsync(RedisScript.GetQueue, queue, [default, default, Known(queue).NextOffset, .. RedisQueueInfo.Fields]) is { } reply
            ? RedisQueueInfo.Read(queue, Known(queue), reply)
            : null;

    public async ValueTask<IReadOnlyList<QueueName>> SubscribersAsync(QueueName queue) =>
        RedisFeeds.NamesIn((await RunAsync(RedisScript.Subscribers, queue, new RedisValue[2]))!);

    public async ValueTask<QueuePage> ListQueuesAsync(string? after, int limit)
    {
        if (UnavailableReason is { } reason)
        {
            throw new StoreUnavailableException(reason);
        }

        var directory = _connection.Keys.Directory;
        var total = _connection.DoAsync(database => database.SortedSetLengthAsync(directory));
        var names = await _directory.NamesAsync(after, limit + 1);
        var infos = await _list.ReadAsync([.. names.Take(limit).Select(name => Known(QueueName.Parse(name!)))]);
        return new QueuePage(infos, await total, names.Length > limit && limit > 0 ? (string)names[limit - 1]! : null);
    }

    /// <summary>Null also for a queue that cannot be read: the others of a page are shown without it.</summary>
    private async Task<QueueInfo?> TryGetQueueAsync(QueueName queue)
    {
        QueueInfo? info = null;
        _ = await _faults.TryAsync(queue, queue, async queue => info = await GetQueueAsync(queue));
        return info;
    }

    public async ValueTask<IReadOnlyList<string>> ListNamesAsync(string? after, int limit) =>
        UnavailableReason is { } reason
            ? throw new StoreUnavailableException(reason)
            : Array.ConvertAll(await _directory.NamesAsync(after, limit), static name => (string)name!);

    public async ValueTask<BrokerResult<QueueSettings>> UpdateSettingsAsync(QueueName queue, QueueSettingsPatch patch)
    {
        if (_connection.IsCluster && RedisKeys.WhyNotInOneSlot(queue, patch.Subscriptions) is { } refusal)
        {
            return refusal;
        }

        try
        {
            var sources = await _earlier.SourcesAsync(queue, patch.Subscriptions);
            var reply = await RunAsync(
                RedisScript.UpdateSettings, queue, RedisSettings.Change(patch, sources), _earlier.KeysWith(queue, sources));
            if (reply!.Length == 1)
            {
                return QueueSubscriptions.TooMany;
            }

            var settings = RedisSettings.Read(reply.AsSpan(1));
            if (patch.HistoryPerKey is not null)
            {
                await _timers.FinishAsync(queue);
            }

            if (patch.Subscriptions is { Count: > 0 } subscriptions)
            {
                await _feeds.FeedHistoriesAsync(queue, subscriptions);
            }

            return settings;
        }
        catch (StoreUnavailableException e)
        {
            return Failure(e);
        }
    }
}
