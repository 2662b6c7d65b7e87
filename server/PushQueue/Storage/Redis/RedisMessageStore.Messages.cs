using System.Buffers.Binary;
using PushQueue.Queues;
using StackExchange.Redis;
using static PushQueue.Storage.Redis.RedisArguments;

namespace PushQueue.Storage.Redis;

/// <summary>Broadcasting, and everything about single messages.</summary>
internal sealed partial class RedisMessageStore
{
    private const long PageBytesMax = 16 * 1024 * 1024;
    private const int ReplayPage = 500;

    public async ValueTask<IReadOnlyList<Message>> BroadcastAsync(QueueName queue, int count, int bytesMax)
    {
        var known = Known(queue);
        try
        {
            var reply = await RunAsync(
                RedisScript.Broadcast, queue, [default, default, Math.Min(count, MessagesPerScriptMax), bytesMax, known.NextOffset]);
            if (reply is null)
            {
                return [];
            }

            known.ObserveOffset((long)reply[1]);
            return Messages(queue, reply, from: 2);
        }
        catch (StoreUnavailableException) when (UnavailableReason is not null)
        {
            // Nothing was broadcast here. If Redis did it nevertheless, the next broadcast reveals the hole. Dispatchers read all queues
            // when Redis is back. A momentary refusal is thrown instead, because no event reports its end.
            return [];
        }
    }

    public ValueTask<HistoryPage?> ReadHistoryAsync(QueueName queue, long fromOffset, int count, int bytesMax) =>
        ReadBroadcastAsync(RedisScript.ReadHistory, queue, fromOffset, count, bytesMax);

    public ValueTask<HistoryPage?> ReadLatestAsync(QueueName queue, long fromOffset, int count, int bytesMax) =>
        ReadBroadcastAsync(RedisScript.ReadLatest, queue, fromOffset, count, bytesMax);

    private async ValueTask<HistoryPage?> ReadBroadcastAsync(
        RedisScript script, QueueName queue, long fromOffset, int count, int bytesMax)
    {
        const int Head = 5;
        var known = Known(queue);
        var reply = await RunAsync(
            script,
            queue,
            [default, default, fromOffset, Math.Min(count, MessagesPerScriptMax), bytesMax, known.NextOffset]);
        if (reply is null)
        {
            return null;
        }

        var messages = new List<Message>(reply.Length - Head);
        for (var i = Head; i < reply.Length; i++)
        {
            byte[] bytes = reply[i]!;
            var given = BinaryPrimitives.ReadUInt16BigEndian(bytes);
            messages.Add(RedisRecord.Read(queue, bytes, 2 + given, RedisStatus.Read(bytes.AsSpan(2, given))));
        }

        return new HistoryPage(messages, RedisQueueInfo.Position(known, reply));
    }

    public ValueTask<Message?> LookAsync(QueueName queue) => OneAsync(RedisScript.Look, queue, [default, default]);

    public ValueTask<Message?> FindAsync(QueueName queue, MessageId id) =>
        OneAsync(RedisScript.Find, queue, [default, default, id.ToString()]);

    public async ValueTask<BrokerResult<MessagePage>> BrowseAsync(QueueName queue, MessageState state, string? after, int limit)
    {
        const int Head = 3;
        if (!RedisPageCursor.TryRead(after, out var score, out var member))
        {
            return new BrokerFailure(QueueError.BadOption, "'after' must be the 'next' of an earlier page.");
        }

        var place = state switch
        {
            MessageState.Ready => "r",
            MessageState.Delayed => "d",
            MessageState.Leased => "l",
            _ => "x",
        };
        try
        {
            var reply = await RunAsync(
                RedisScript.Browse, queue, [default, default, place, score, member, Math.Min(limit, MessagesPerScriptMax), PageBytesMax]);
            if (reply is null)
            {
                return new MessagePage([], null);
            }

            var next = reply[2].IsNullOrEmpty ? null : $"{reply[1]}-{reply[2]}";
            return new MessagePage(Messages(queue, reply, Head), next);
        }
        catch (StoreUnavailableException e)
        {
            return Failure(e);
        }
    }

    public async ValueTask<IReadOnlyList<MessageId>> NewestAsync(QueueName queue, int count) =>
        await RunAsync(RedisScript.Newest, queue, [default, default, Math.Min(count, MessagesPerScriptMax)]) is { } reply
            ? [.. reply.Skip(1).Select(static id => MessageId.Parse(id!))]
            : [];

    public async ValueTask<KeyPage> ListKeysAsync(QueueName queue, string? after, int limit)
    {
        const int Head = 2;
        const int Fields = 6;
        var reply = await RunAsync(
            RedisScript.ListKeys, queue, [default, default, after ?? string.Empty, Math.Min(limit, MessagesPerScriptMax)]);
        if (reply is null)
        {
            return KeyPage.Empty;
        }

        var keys = new KeyInfo[(reply.Length - Head) / Fields];
        for (var i = 0; i < keys.Length; i++)
        {
            var at = Head + (i * Fields);
            keys[i] = new KeyInfo(
                reply[at]!,
                (long)reply[at + 1],
                (long)reply[at + 2],
                (long)reply[at + 3],
                (long)reply[at + 4] == 1,
                RedisQueueInfo.Time(reply[at + 5]));
        }

        return new KeyPage(keys, (long)reply[1] == 1 ? keys[^1].Key : null);
    }

    public ValueTask<BrokerResult<bool>> CancelAsync(QueueName queue, MessageId id) =>
        YesOrNoAsync(RedisScript.Cancel, queue, [default, default, id.ToString()]);

    public ValueTask<BrokerResult<bool>> RescheduleAsync(QueueName queue, MessageId id, DateTimeOffset availableAt) =>
        YesOrNoAsync(RedisScript.Reschedule, queue, [default, default, id.ToString(), Text(availableAt)]);

    public async ValueTask<BrokerResult<int>> ReplayAsync(QueueName deadLetterQueue, MessageId? id, int count)
    {
        if (!deadLetterQueue.IsDeadLetter)
        {
            return new BrokerFailure(
                QueueError.BadOption,
                $"'{deadLetterQueue}' is not a dead-letter queue: its name does not end in '{QueueName.DeadSuffix}'.");
        }

        try
        {
            return await ReplayPagesAsync(deadLetterQueue, id, count);
        }
        catch (StoreUnavailableException e)
        {
            return Failure(e);
        }
    }

    private async ValueTask<BrokerResult<int>> ReplayPagesAsync(QueueName dead, MessageId? id, int count)
    {
        var (moved, leftAlone, looked) = (0, 0L, 0L);
        while (true)
        {
            var page = (int)Math.Min(ReplayPage, count - looked);
            var reply = await RunAsync(
                RedisScript.Replay, dead, [default, default, id?.ToString() ?? string.Empty, page, leftAlone]);
            if (reply is null || (long)reply[1] == -1)
            {
                return id is null ? moved : new BrokerFailure(QueueError.NotFound, $"No message '{id}' is in '{dead}'.");
            }

            if ((long)reply[1] == -2)
            {
                return new BrokerFailure(
                    QueueError.UniqueKeyTaken, $"A live message in '{dead.Source}' has the id '{id}'; cancel it first.");
            }

            moved += (int)reply[1];
            leftAlone += (long)reply[2];
            looked += (long)reply[1] + (long)reply[2];
            if (id is not null || looked >= count || (long)reply[1] + (long)reply[2] < page)
            {
                return moved;
            }
        }
    }

    private async ValueTask<Message?> OneAsync(RedisScript script, QueueName queue, RedisValue[] arguments)
    {
        var reply = await RunAsync(script, queue, arguments);
        return reply is null || reply.Length == 1 ? null : Messages(queue, reply, from: 1)[0];
    }

    private async ValueTask<BrokerResult<bool>> YesOrNoAsync(RedisScript script, QueueName queue, RedisValue[] arguments)
    {
        try
        {
            return await RunAsync(script, queue, arguments) is { } reply && (long)reply[1] == 1;
        }
        catch (StoreUnavailableException e)
        {
            return Failure(e);
        }
    }
}
