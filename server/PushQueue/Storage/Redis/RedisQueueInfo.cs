using System.Globalization;
using PushQueue.Queues;
using StackExchange.Redis;

namespace PushQueue.Storage.Redis;

/// <summary>The state of a queue as scripts return it.</summary>
internal static class RedisQueueInfo
{
    private const int Head = 11;

    /// <summary>The fields of the queue's hash that the script returns behind its head.</summary>
    public static readonly RedisValue[] Fields =
    [
        "bytes", "put", "delivered", "acked", "failed", "cancelled", "expired", "dropped", "deadlettered", "keysblocked", "early",
        .. RedisSettings.Fields,
    ];

    /// <summary>Reads an answer of GetQueue.lua.</summary>
    public static QueueInfo Read(QueueName queue, KnownQueue known, RedisValue[] reply)
    {
        var fields = reply.AsSpan(Head);
        var settings = RedisSettings.Read(fields[(Fields.Length - RedisSettings.Fields.Length)..]);
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
            Keys = (long)reply[10],
            BlockedKeys = Number(fields[9]),
            IsCopying = !fields[10].IsNullOrEmpty,
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
    public static BroadcastPosition Position(KnownQueue known, RedisValue[] reply)
    {
        var position = new BroadcastPosition(reply[1]!, (long)reply[2], (long)reply[3], (long)reply[4]);
        known.ObserveOffset(position.NextOffset);
        return position;
    }

    public static long Number(RedisValue value) => value.IsNullOrEmpty ? 0 : (long)value;

    public static DateTimeOffset? Time(RedisValue value) => value.IsNullOrEmpty
        ? null
        : DateTimeOffset.FromUnixTimeMilliseconds((long)double.Parse((string)value!, CultureInfo.InvariantCulture));
}
