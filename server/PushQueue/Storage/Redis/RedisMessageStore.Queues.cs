using System.Globalization;
using PushQueue.Queues;
using StackExchange.Redis;

namespace PushQueue.Storage.Redis;

/// <summary>Queues as a whole.</summary>
internal sealed partial class RedisMessageStore
{
    private const int InfoHead = 10;

    private static readonly RedisValue[] InfoFields =
        ["bytes", "put", "delivered", "acked", "failed", "cancelled", "expired", "dropped", "deadlettered", .. RedisSettings.Fields];

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
            if (UnavailableReason is { } reason)
            {
                throw new StoreUnavailableException(reason);
            }

            var known = Known(queue);
            var reply = await RunAsync(RedisScript.DeleteQueue, known.Keys, [NowMs(), Caller(known)]);

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

            return (long)reply[0] == 1;
        }
        catch (StoreUnavailableException e)
        {
            return Failure(e);
        }
    }

    public async ValueTask<QueueInfo?> GetQueueAsync(QueueName queue) =>
        await RunAsync(RedisScript.GetQueue, queue, [default, default, Known(queue).NextOffset, .. InfoFields]) is { } reply
            ? Info(queue, Known(queue), reply)
            : null;

    public async ValueTask<QueuePage> ListQueuesAsync(string? after, int limit)
    {
        if (UnavailableReason is { } reason)
        {
            throw new StoreUnavailableException(reason);
        }

        var directory = _connection.Keys.Directory;
        var total = _connection.DoAsync(database => database.SortedSetLengthAsync(directory));
        var names = await NamesAsync(after, limit + 1);
        var infos = await Task.WhenAll(names.Take(limit).Select(name => TryGetQueueAsync(QueueName.Parse(name!))));
        return new QueuePage(
            [.. infos.OfType<QueueInfo>()], await total, names.Length > limit && limit > 0 ? (string)names[limit - 1]! : null);
    }

    /// <summary>Null also for a queue that cannot be read: the others of a page are shown without it.</summary>
    private async Task<QueueInfo?> TryGetQueueAsync(QueueName queue)
    {
        QueueInfo? info = null;
        _ = await _faults.TryAsync(queue, queue, async queue => info = await GetQueueAsync(queue));
        return info;
    }

    public async ValueTask<BrokerResult<QueueSettings>> UpdateSettingsAsync(QueueName queue, QueueSettingsPatch patch)
    {
        try
        {
            var reply = await RunAsync(
                RedisScript.UpdateSettings,
                queue,
                [
                    default, default, (int)patch.Condition, RedisSettings.Fields.Length,
                    .. RedisSettings.Fields, .. RedisSettings.Changes(patch),
                ]);
            return RedisSettings.Read(reply.AsSpan(1));
        }
        catch (StoreUnavailableException e)
        {
            return Failure(e);
        }
    }

    /// <summary>Names of queues in their order, behind that one.</summary>
    private ValueTask<RedisValue[]> NamesAsync(string? after, int limit)
    {
        // A number that stands in the call would also be an order, for the other overload of newer versions.
        var skip = 0L;
        var exclude = after is null ? Exclude.None : Exclude.Start;
        return _connection.DoAsync(database => database.SortedSetRangeByValueAsync(
            _connection.Keys.Directory, after ?? default(RedisValue), default, exclude, skip, limit));
    }

    private static QueueInfo Info(QueueName queue, KnownQueue known, RedisValue[] reply)
    {
        var fields = reply.AsSpan(InfoHead);
        var settings = RedisSettings.Read(fields[(InfoFields.Length - RedisSettings.Fields.Length)..]);
        var position = Position(known, reply);
        return new QueueInfo
        {
            Name = queue,
            Settings = settings,
            Ready = (long)reply[5],
            Delayed = (long)reply[6],
            Leased = (long)reply[7],
            History = position.NextOffset - position.FirstOffset,
            Bytes = Number(fields[0]),
            OldestReadyAt = Time(reply[8]),
            NextDelayedAt = Time(reply[9]),
            Position = position,
            Counters = new QueueCounters
            {
                Put = Number(fields[1]),
                Delivered = Number(fields[2]),
                Acked = Number(fields[3]),
                Failed = Number(fields[4]),
                Cancelled = Number(fields[5]),
                Expired = Number(fields[6]),
                Dropped = Number(fields[7]),
                DeadLettered = Number(fields[8]),
            },
        };
    }

    /// <summary>The position that an answer has behind its control.</summary>
    private static BroadcastPosition Position(KnownQueue known, RedisValue[] reply)
    {
        var position = new BroadcastPosition(reply[1]!, (long)reply[2], (long)reply[3], (long)reply[4]);
        known.ObserveOffset(position.NextOffset);
        return position;
    }

    private static long Number(RedisValue value) => value.IsNullOrEmpty ? 0 : (long)value;

    private static DateTimeOffset? Time(RedisValue value) => value.IsNullOrEmpty
        ? null
        : DateTimeOffset.FromUnixTimeMilliseconds((long)double.Parse((string)value!, CultureInfo.InvariantCulture));
}
