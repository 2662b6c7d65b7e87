using PushQueue.Queues;
using StackExchange.Redis;
using static PushQueue.Storage.Redis.RedisArguments;

namespace PushQueue.Storage.Redis;

/// <summary>Work for nodes that are gone, and after Redis was away.</summary>
internal sealed partial class RedisMessageStore : IRedisUpkeep
{
    private const int EndedAtOnce = 500;
    private const int QueuesAtOnce = 64;
    private const int LooksAtOnce = 1000;
    private const int NamesAtOnce = 500;

    /// <summary>A frozen node that wakes later than this could lease once more before it knows that it was declared dead.</summary>
    private static readonly TimeSpan DeadFor = TimeSpan.FromDays(7);

    /// <summary>How long a queue stays at least when a node has started, or Redis was away.</summary>
    private static readonly TimeSpan StayAfterOutage = TimeSpan.FromMinutes(5);

    public async Task<EndedLeases> EndLeasesOfAsync(string node, bool mayWake, IEnumerable<QueueName>? queues = null)
    {
        var noted = (await _connection.DoAsync(database => database.SetMembersAsync(_connection.Keys.QueuesOf(node))))
            .Select(static name => QueueName.Parse(name!)).ToList();
        var failed = new HashSet<QueueName>();
        foreach (var some in noted.Union(queues ?? []).Chunk(QueuesAtOnce))
        {
            var ended = await Task.WhenAll(
                some.Select(queue => _faults.TryAsync(queue, queue, queue => EndLeasesAsync(queue, node, mayWake))));
            failed.UnionWith(some.Where((_, index) => !ended[index]));
        }

        return new EndedLeases([.. noted.Except(failed)], failed.Count == 0);
    }

    public async Task<bool> ForgetAsync(string node, IReadOnlyList<QueueName> ended)
    {
        var keys = _connection.Keys;
        RedisKey[] lists = [keys.Nodes, keys.QueuesOf(node), keys.Liveness(node)];
        foreach (var names in ended.Select(static queue => (RedisValue)queue.Value).Chunk(NamesAtOnce).DefaultIfEmpty([]))
        {
            var reply = await _connection.RunAsync(RedisScript.Forget, lists, [node, .. names]);
            if ((long)reply[0] == 1)
            {
                return true;
            }
        }

        return false;
    }

    public Task ReleaseLostAsync() => Task.WhenAll(_lost.Take().Select(lost => _faults.TryAsync(lost.Queue, lost, ReleaseLostAsync)));

    public Task FeedHistoriesAsync() => _feeds.RetryAsync();

    public async Task RecordQueuesAsync(NodeIdentity identity)
    {
        foreach (var names in identity.Queues.Keys.Select(static queue => (RedisValue)queue.Value).Chunk(NamesAtOnce))
        {
            _ = await RecordAsync(identity, names);
        }
    }

    public async Task RegisterAllDueAsync()
    {
        var totals = default(StoreTotals);
        _ = _totals.Take(); // what was done until now is found in the queues
        string? after = null;
        do
        {
            var names = await _directory.NamesAsync(after, NamesAtOnce);
            var queues = await Task.WhenAll(names.Select(name => TryReadAsync(QueueName.Parse(name!))));
            RedisValue[] known =
            [
                .. names.Zip(queues)
                    .Where(static pair => !pair.Second.Due.IsNull)
                    .SelectMany(static pair => new[] { pair.First, pair.Second.Due }),
            ];
            if (known.Length > 0)
            {
                await _timers.RegisterAsync(known);
            }

            totals = new StoreTotals(
                totals.Queues + names.Length,
                totals.Messages + queues.Sum(static queue => queue.Messages),
                totals.Bytes + queues.Sum(static queue => queue.Bytes));
            after = names.Length == NamesAtOnce ? names[^1] : default(string);
        }
        while (after is not null);

        _ = await _connection.RunAsync(
            RedisScript.SetTotals, [_connection.Keys.Totals], [totals.Queues, totals.Messages, totals.Bytes]);
        _totals.Learn(totals);
    }

    public void NotifyResumed() => _listener!.OnResumed();

    /// <returns>False if others declared the node dead.</returns>
    private async ValueTask<bool> RecordAsync(NodeIdentity identity, RedisValue[] names)
    {
        var keys = _connection.Keys;
        var reply = await _connection.RunAsync(
            RedisScript.Bind, [keys.Nodes, keys.QueuesOf(identity.Number)], [identity.Number, .. names]);
        return (long)reply[0] == 1;
    }

    /// <summary>Another node's broadcast: an offset below this one must never be assigned again.</summary>
    private void OnBroadcastSeen(QueueName queue, long nextOffset) => Known(queue).ObserveOffset(nextOffset);

    private void OnDeletedSeen(QueueName queue)
    {
        Known(queue).ForgetOffset();

        // Nothing is leased there any more. The record in Redis stays, because a lease may be under way in a new queue of that name.
        _ = _node!.Identity.Queues.TryRemove(queue, out _);
    }

    /// <summary>As <see cref="ReadAsync"/>; a queue that cannot be read is never due and holds nothing, until it is read again.</summary>
    private async Task<(RedisValue Due, long Messages, long Bytes)> TryReadAsync(QueueName queue)
    {
        (RedisValue Due, long Messages, long Bytes) read = default;
        _ = await _faults.TryAsync(queue, queue, async queue => read = await ReadAsync(queue));
        return read;
    }

    /// <summary>When a queue is due, and what it holds.</summary>
    private async Task<(RedisValue Due, long Messages, long Bytes)> ReadAsync(QueueName queue)
    {
        var key = Known(queue).Keys[0];
        var fields = _connection.DoAsync(database => database.HashGetAsync(key, ["due", "bytes", "expires"]));
        var messages = await _connection.DoAsync(database => database.HashLengthAsync(key.Append(":messages")));
        var values = await fields;
        if (values[2].IsNull && QueueExpiry.Find(_options.Expires, queue) is not null)
        {
            await GiveDefaultsAsync(queue);
        }
        else if (RedisQueueInfo.Number(values[2]) > 0)
        {
            // While no node served, nobody could use the queue. Clients get the time to come back before it goes.
            _ = await RunAnywayAsync(RedisScript.Keep, queue, [default, default, Ms(StayAfterOutage), 1]);
        }

        return (values[0], messages, RedisQueueInfo.Number(values[1]));
    }

    private async Task EndLeasesAsync(QueueName queue, string node, bool mayWake)
    {
        RedisValue[] reply;
        do
        {
            reply = await RunAnywayAsync(
                RedisScript.EndNodeLeases, queue, [default, default, node, EndedAtOnce, mayWake ? Ms(DeadFor) : 0]);
        }
        while ((long)reply[1] >= EndedAtOnce);
    }

    private async Task ReleaseLostAsync(LostLease lost)
    {
        var found = 0L;
        try
        {
            foreach (var suffix in new[] { ":leased", ":bound" })
            {
                var last = RedisValue.EmptyString;
                do
                {
                    var reply = await RunAnywayAsync(
                        RedisScript.ReleaseLost, lost.Queue, [default, default, lost.Node, lost.Receipts, suffix, last, LooksAtOnce]);
                    found += (long)reply[1];
                    last = reply[2];
                }
                while (!last.IsNullOrEmpty);
            }
        }
        catch
        {
            _lost.PutBack(lost);
            throw;
        }

        _lost.Looked(lost);
        if (found > 0)
        {
            Log.GivenBack(_logger, found, lost.Queue.Value);
        }
    }

    /// <summary>Runs a script on a queue even while the store counts as out of reach, as is needed to bring it back.</summary>
    private async Task<RedisValue[]> RunAnywayAsync(RedisScript script, QueueName queue, RedisValue[] arguments)
    {
        var known = Known(queue);
        (arguments[0], arguments[1]) = (NowMs(), Caller(known));
        var reply = await _connection.RunAsync(script, known.Keys, arguments);
        if (_totals.Read(reply[0]) is > 0 and var control)
        {
            await TryFollowUpAsync(queue, control);
        }

        return reply;
    }
}
