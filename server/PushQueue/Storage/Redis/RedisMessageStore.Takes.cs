using System.Security.Cryptography;
using PushQueue.Queues;
using StackExchange.Redis;
using static PushQueue.Storage.Redis.RedisArguments;

namespace PushQueue.Storage.Redis;

/// <summary>Taking, leasing, and what becomes of leases.</summary>
internal sealed partial class RedisMessageStore
{
    /// <summary>One script returns at most so many messages, so that no other call waits long for Redis.</summary>
    private const int MessagesPerScriptMax = 4096;

    /// <summary>Calls that share a script get at most so many bytes of bodies from it; the first message may exceed that.</summary>
    private const int SharedBytesMax = 4 * 1024 * 1024;

    public ValueTask<BrokerResult<IReadOnlyList<Message>>> TakeAsync(
        QueueName queue,
        int count,
        int bytesMax,
        Selection selection = default,
        bool evenWhenStopped = false,
        int bytesAtOnce = int.MaxValue) =>
        count == 1 && !evenWhenStopped && selection == Selection.Next && bytesAtOnce >= PendingTake.BytesAtOnceMax
            ? TakeOneAsync(queue, bytesMax, bytesAtOnce)
            : TakeManyAsync(queue, count, bytesMax, selection, evenWhenStopped, bytesAtOnce);

    private async ValueTask<BrokerResult<IReadOnlyList<Message>>> TakeOneAsync(QueueName queue, int bytesMax, int bytesAtOnce)
    {
        // Calls that share a script take small messages only; a large one is taken alone.
        var taken = await Known(queue).LanesOf(this).Takes.CallAsync(bytesMax);
        return taken.Error == QueueError.TooLargeAtOnce && bytesAtOnce > PendingTake.BytesAtOnceMax
            ? await TakeManyAsync(queue, 1, bytesMax, Selection.Next, evenWhenStopped: false, bytesAtOnce)
            : taken;
    }

    /// <summary>Takes of one message each, in one script. A failure is the outcome of the others.</summary>
    internal async ValueTask<IReadOnlyList<BrokerResult<IReadOnlyList<Message>>>> TakeEachAsync(QueueName queue, IReadOnlyList<int> limits)
    {
        if (limits.Count == 1)
        {
            return [await TakeManyAsync(queue, 1, limits[0], Selection.Next, evenWhenStopped: false, PendingTake.BytesAtOnceMax)];
        }

        var outcomes = new BrokerResult<IReadOnlyList<Message>>[limits.Count];
        var served = 0;
        try
        {
            while (served < outcomes.Length)
            {
                var reply = await RunAsync(
                    RedisScript.Take,
                    queue,
                    [
                        default, default, outcomes.Length - served, 0, string.Empty, SharedBytesMax, 1, int.MaxValue,
                        PendingTake.BytesAtOnceMax, string.Empty, string.Empty,
                    ]);
                var messages = reply is null ? [] : Messages(queue, reply, from: 2);
                if (messages.Count == 0)
                {
                    Array.Fill(outcomes, NothingTaken(reply), served, outcomes.Length - served);
                    break;
                }

                foreach (var message in messages)
                {
                    outcomes[served++] = BrokerResult<IReadOnlyList<Message>>.Success([message]);
                }
            }
        }
        catch (StoreUnavailableException e)
        {
            Array.Fill(outcomes, Failure(e), served, outcomes.Length - served);
        }

        return outcomes;
    }

    /// <summary>
    /// Why a script gave nothing out, or less than there is; 0 where nothing stood in the way, and where the search of a filter stopped.
    /// </summary>
    private static long StateOf(RedisValue[]? reply) => reply is not null && reply[1].TryParse(out long state) ? state : 0;

    /// <summary>The outcome of a script that has taken nothing; null where there is no such queue.</summary>
    private static BrokerResult<IReadOnlyList<Message>> NothingTaken(RedisValue[]? reply) => StateOf(reply) switch
    {
        1 => new BrokerFailure(QueueError.QueueStopped),
        2 => new BrokerFailure(QueueError.TooLargeAtOnce),
        _ => BrokerResult<IReadOnlyList<Message>>.Success([]),
    };

    private async ValueTask<BrokerResult<IReadOnlyList<Message>>> TakeManyAsync(
        QueueName queue, int count, int bytesMax, Selection selection, bool evenWhenStopped, int bytesAtOnce)
    {
        var taken = new List<Message>();
        var room = bytesMax;
        var atOnce = bytesAtOnce;
        var search = FilterSearch.Of(selection);
        try
        {
            while (true)
            {
                var page = Math.Min(count - taken.Count, MessagesPerScriptMax);
                var reply = await RunAsync(
                    RedisScript.Take,
                    queue,
                    [
                        default, default, page, evenWhenStopped ? 1 : 0, Text(selection.Time), room, taken.Count == 0 ? 1 : 0, atOnce,
                        int.MaxValue, search?.Packed ?? string.Empty, search?.Place ?? string.Empty,
                    ]);
                if (StateOf(reply) > 0)
                {
                    return taken.Count > 0 ? taken : NothingTaken(reply);
                }

                var messages = reply is null ? [] : Messages(queue, reply, from: 2);
                taken.AddRange(messages);
                var bytes = messages.Sum(static message => message.Body.Length);
                room = Math.Max(0, room - bytes);
                atOnce = Math.Max(0, atOnce - bytes);
                search?.Note(reply is null ? 0 : reply[1]);
                if ((messages.Count < page && search is not { HasMore: true }) || taken.Count == count || (search is not null && room == 0))
                {
                    return taken;
                }
            }
        }
        catch (StoreUnavailableException e)
        {
            // Messages that have left the queue must be returned.
            return taken.Count > 0 ? taken : Failure(e);
        }
    }

    public ValueTask<BrokerResult<IReadOnlyList<Lease>>> LeaseAsync(QueueName queue, LeaseRequest request) =>
        FilterSearch.Of(request.Selection) is { } filtered
            ? filtered.LeaseAsync(request, (part, search) => LeaseManyAsync(queue, part, search))
        : request is { Count: 1, IsNodeBound: false, Selection.Time: null, Consumers: 0 }
            ? Known(queue).LanesOf(this).Leases.CallAsync(request)
            : LeaseManyAsync(queue, request);

    /// <summary>Leases of one message each, with equal arguments, in one script. A failure is the outcome of the others.</summary>
    internal async ValueTask<IReadOnlyList<BrokerResult<IReadOnlyList<Lease>>>> LeaseEachAsync(
        QueueName queue, IReadOnlyList<LeaseRequest> requests)
    {
        var outcomes = new BrokerResult<IReadOnlyList<Lease>>[requests.Count];
        if (requests.Count == 1)
        {
            outcomes[0] = await LeaseManyAsync(queue, requests[0]);
            return outcomes;
        }

        var served = 0;
        while (served < outcomes.Length)
        {
            var leased = await LeaseManyAsync(queue, requests[0] with { Count = outcomes.Length - served, BytesMax = SharedBytesMax });
            if (!leased.Ok || leased.Value.Count == 0)
            {
                Array.Fill(outcomes, leased, served, outcomes.Length - served);
                break;
            }

            foreach (var lease in leased.Value)
            {
                outcomes[served++] = BrokerResult<IReadOnlyList<Lease>>.Success([lease]);
            }
        }

        return outcomes;
    }

    private async ValueTask<BrokerResult<IReadOnlyList<Lease>>> LeaseManyAsync(
        QueueName queue, LeaseRequest request, FilterSearch? search = null)
    {
        var count = Math.Min(request.Count, MessagesPerScriptMax);
        var receipts = Receipts(count);
        var node = "0";
        try
        {
            if (request.IsNodeBound)
            {
                // Read once: the node may continue under another number at any time.
                var identity = _node!.Identity;
                node = identity.Number;
                if (!await BindAsync(queue, identity))
                {
                    return Array.Empty<Lease>();
                }
            }

            var leaseEnd = request.TimeToRun is { } timeToRun ? NowMs() + Ms(timeToRun) : 0;
            var reply = await RunAsync(
                RedisScript.Lease,
                queue,
                [
                    default, default, count, request.BytesMax, leaseEnd, node, request.Worker ?? string.Empty,
                    request.Delivery ? 1 : request.Streaming ? 2 : 0, receipts, Text(request.Selection.Time),
                    Text(request.Selection.Time + request.TimeToRun),
                    request.Consumers, request.Room, request.EvenWhenStopped ? 1 : 0,
                    search?.Packed ?? string.Empty, search?.Place ?? string.Empty,
                ]);
            search?.Note(reply is null ? 0 : reply[1]);
            if (reply is null)
            {
                return Array.Empty<Lease>();
            }

            const int Stopped = 1;
            const int LeftForOthers = 2;
            var state = StateOf(reply);

            // A node that was declared dead gets nothing; its next heartbeat joins again and has all queues read.
            if (state == LeftForOthers)
            {
                _turns.LookLater(queue);
            }

            return state == Stopped
                ? new BrokerFailure(QueueError.QueueStopped)
                : BrokerResult<IReadOnlyList<Lease>>.Success(Leases(queue, reply));
        }
        catch (StoreUnavailableException e)
        {
            if (request.IsNodeBound && e.InnerException is not (null or RedisServerException))
            {
                // The request was sent and its effect is unknown. A lease with an end of its own ends by itself.
                _lost.Add(queue, node, receipts);
            }

            return Failure(e);
        }
    }

    public ValueTask<IReadOnlyList<QueueError>> AckAsync(QueueName queue, IReadOnlyList<LeaseKey> keys) =>
        Known(queue).LanesOf(this).Settlements.CallAsync(new RedisSettlement(RedisScript.Ack, keys));

    public ValueTask<IReadOnlyList<QueueError>> CheckAsync(QueueName queue, IReadOnlyList<LeaseKey> keys) =>
        SettleAsync(RedisScript.Check, queue, [default, default], keys);

    public ValueTask<IReadOnlyList<QueueError>> ReleaseAsync(QueueName queue, IReadOnlyList<LeaseKey> keys, ReleaseRequest request) =>
        Known(queue).LanesOf(this).Settlements.CallAsync(new RedisSettlement(RedisScript.Release, keys, Release: request));

    public ValueTask<IReadOnlyList<QueueError>> TouchAsync(QueueName queue, IReadOnlyList<LeaseKey> keys, TimeSpan timeToRun) =>
        Known(queue).LanesOf(this).Settlements.CallAsync(new RedisSettlement(RedisScript.Touch, keys, timeToRun));

    /// <summary>Settlements with equal arguments, in one script.</summary>
    internal async ValueTask<IReadOnlyList<IReadOnlyList<QueueError>>> SettleEachAsync(
        QueueName queue, IReadOnlyList<RedisSettlement> settlements)
    {
        var first = settlements[0];
        RedisValue[] head = first switch
        {
            { Script: RedisScript.Touch } => [default, default, NowMs() + Ms(first.TimeToRun)],
            { Release: { } request } =>
            [
                default, default, request.Delay is { } delay ? Text(delay.Ticks) : string.Empty,
                request.Error is { } error ? "1" + Bounded(error) : "0",
                request.DeadLetter ? 2 : request.CountsAsAttempt ? 1 : 0, request.Worker ?? string.Empty, Text(request.AvailableAt),
                (request.Backoff?.First ?? TimeSpan.Zero).Ticks, (request.Backoff?.Last ?? TimeSpan.Zero).Ticks,
            ],
            _ => [default, default],
        };
        if (settlements.Count == 1)
        {
            return [await SettleAsync(first.Script, queue, head, first.Keys)];
        }

        var answers = await SettleAsync(first.Script, queue, head, [.. settlements.SelectMany(static settlement => settlement.Keys)]);
        var results = new IReadOnlyList<QueueError>[settlements.Count];
        for (int i = 0, from = 0; i < results.Length; i++)
        {
            results[i] = [.. answers.Skip(from).Take(settlements[i].Keys.Count)];
            from += settlements[i].Keys.Count;
        }

        return results;
    }

    public async ValueTask<BrokerResult<int>> EndDueLeasesAsync(QueueName queue, DateTimeOffset dueBy, int limit)
    {
        try
        {
            var reply = await RunAsync(
                RedisScript.EndDueLeases,
                queue,
                [default, default, Text(dueBy), Math.Min(limit, MessagesPerScriptMax)]);
            return reply is null ? 0 : (int)reply[1];
        }
        catch (StoreUnavailableException e)
        {
            return Failure(e);
        }
    }

    public async ValueTask<long> CountDueAsync(QueueName queue, DateTimeOffset dueBy) =>
        await RunAsync(RedisScript.CountDue, queue, [default, default, Text(dueBy)]) is { } reply ? (long)reply[1] : 0;

    private async ValueTask<IReadOnlyList<QueueError>> SettleAsync(
        RedisScript script, QueueName queue, RedisValue[] head, IReadOnlyList<LeaseKey> keys)
    {
        var answers = new QueueError[keys.Count];
        try
        {
            var arguments = new RedisValue[head.Length + (2 * keys.Count)];
            head.CopyTo(arguments, 0);
            for (var i = 0; i < keys.Count; i++)
            {
                arguments[head.Length + (2 * i)] = keys[i].Id.ToString();
                arguments[head.Length + (2 * i) + 1] = Bytes(keys[i].Receipt);
            }

            var reply = await RunAsync(script, queue, arguments);
            for (var i = 0; i < answers.Length; i++)
            {
                answers[i] = reply is null ? QueueError.NotFound : (long)reply[i + 1] switch
                {
                    0 => QueueError.None,
                    1 => QueueError.LeaseLost,
                    _ => QueueError.NotFound,
                };
            }
        }
        catch (StoreUnavailableException)
        {
            Array.Fill(answers, QueueError.StoreUnavailable);
        }

        return answers;
    }

    /// <summary>
    /// Records, before the first lease that is bound to a node, that the queue holds some: a node that declares it dead looks there.
    /// </summary>
    /// <returns>False if others declared the node dead.</returns>
    private async ValueTask<bool> BindAsync(QueueName queue, NodeIdentity identity)
    {
        if (identity.Queues.ContainsKey(queue))
        {
            return true;
        }

        if (!await RecordAsync(identity, [queue.Value]))
        {
            return false;
        }

        identity.Queues[queue] = true;
        return true;
    }

    private static List<Message> Messages(QueueName queue, RedisValue[] reply, int from)
    {
        var messages = new List<Message>((reply.Length - from) / 2);
        for (var i = from; i + 1 < reply.Length; i += 2)
        {
            messages.Add(RedisRecord.Read(queue, reply[i]!, 0, RedisStatus.Read((byte[])reply[i + 1]!)));
        }

        return messages;
    }

    private static List<Lease> Leases(QueueName queue, RedisValue[] reply)
    {
        var leases = new List<Lease>((reply.Length - 2) / 2);
        for (var i = 2; i + 1 < reply.Length; i += 2)
        {
            var given = RedisStatus.Read((byte[])reply[i + 1]!);
            leases.Add(new Lease(RedisRecord.Read(queue, reply[i]!, 0, given), given.State.Receipt, given.State.LeaseEnd));
        }

        return leases;
    }

    /// <summary>Receipts in sequence, 8 bytes each, never zero.</summary>
    private static byte[] Receipts(int count)
    {
        var bytes = RandomNumberGenerator.GetBytes(8 * count);
        for (var i = 0; i < bytes.Length; i += 8)
        {
            bytes[i] |= 1;
        }

        return bytes;
    }

    private static byte[] Bytes(Receipt receipt)
    {
        var bytes = new byte[8];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(bytes, receipt.Value);
        return bytes;
    }

    /// <summary>An error is kept with its message and must not outgrow it.</summary>
    private static string Bounded(string error)
    {
        const int Longest = 8192;
        return error.Length <= Longest ? error : error[..Longest];
    }
}
