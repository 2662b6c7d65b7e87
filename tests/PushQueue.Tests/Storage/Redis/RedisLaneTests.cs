using System.Globalization;
using System.Text;
using PushQueue.Queues;
using PushQueue.Storage.Redis;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Storage.Redis;

/// <summary>Calls that arrive at about the same time share a script; each has its own result.</summary>
public sealed class RedisLaneTests
{
    private const int Calls = 100;

    private static readonly QueueName Queue = RedisStores.Queue;

    [Fact]
    public async Task A_failure_reaches_all_waiting_calls_and_the_lane_continues()
    {
        var firstSent = new TaskCompletionSource();
        var sent = 0;
        var lane = new RedisLane<int, int>(async calls => Interlocked.Increment(ref sent) switch
        {
            1 => await AfterAsync(firstSent.Task, calls),
            2 => throw new InvalidOperationException("Nobody knows."),
            _ => calls,
        });
        var first = lane.CallAsync(1).AsTask();
        var second = lane.CallAsync(2).AsTask();
        var third = lane.CallAsync(3).AsTask();

        firstSent.SetResult();

        Assert.Equal(1, await first.WithTimeout());
        await Assert.ThrowsAsync<InvalidOperationException>(() => second.WithTimeout());
        await Assert.ThrowsAsync<InvalidOperationException>(() => third.WithTimeout());
        Assert.Equal(4, await lane.CallAsync(4).AsTask().WithTimeout());
    }

    [Fact]
    public async Task Only_calls_that_may_share_a_script_do_and_each_gets_its_own_result()
    {
        var firstSent = new TaskCompletionSource();
        var groups = new List<IReadOnlyList<int>>();
        var lane = new RedisLane<int, int>(
            async calls =>
            {
                groups.Add(calls);
                return groups.Count == 1 ? await AfterAsync(firstSent.Task, calls) : calls;
            },
            static (first, second) => first / 10 == second / 10);
        var results = Task.WhenAll(new[] { 1, 11, 12, 21, 13, 14 }.Select(call => lane.CallAsync(call).AsTask()));

        firstSent.SetResult();

        var all = await results.WithTimeout();
        Assert.Equal([1, 11, 12, 21, 13, 14], all);
        Assert.Equal([[1], [11, 12, 13, 14], [21]], groups);
    }

    [Fact]
    public async Task Takes_at_the_same_time_share_scripts_and_no_message_goes_twice()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var stores = new RedisStores(new RedisStoreOptions { Configuration = redis.Address });
        var store = await stores.OpenAsync();
        await FillAsync(store, Calls - 10);
        var before = await ScriptsAsync(redis);

        var taken = await Task.WhenAll(Enumerable.Range(0, Calls).Select(_ => store.TakeAsync(Queue, 1, 1).AsTask())).WithTimeout();

        Assert.All(taken, static outcome => Assert.InRange(outcome.Value.Count, 0, 1));
        Assert.Equal(Bodies(Calls - 10), taken.SelectMany(static outcome => outcome.Value).Select(BodyOf).Order());
        Assert.InRange(await ScriptsAsync(redis) - before, 1, Calls / 2);
    }

    [Fact]
    public async Task Takes_from_a_stopped_queue_are_all_refused()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var stores = new RedisStores(new RedisStoreOptions { Configuration = redis.Address });
        var store = await stores.OpenAsync();
        await FillAsync(store, 3);
        await store.UpdateSettingsAsync(Queue, new QueueSettingsPatch { Stopped = true });

        var taken = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => store.TakeAsync(Queue, 1, 1).AsTask())).WithTimeout();

        Assert.All(taken, static outcome => Assert.Equal(QueueError.QueueStopped, outcome.Error));
    }

    [Fact]
    public async Task Leases_touches_releases_and_acks_at_the_same_time_share_scripts()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var stores = new RedisStores(new RedisStoreOptions { Configuration = redis.Address });
        var store = await stores.OpenAsync();
        await FillAsync(store, Calls);
        var before = await ScriptsAsync(redis);

        var leases = (await Task.WhenAll(Enumerable.Range(0, Calls).Select(
            call =>
                store.LeaseAsync(Queue, new LeaseRequest(1, 1, TimeSpan.FromMinutes(1 + (call % 2)), Worker: "w")).AsTask())).WithTimeout())
            .Select(static outcome => Assert.Single(outcome.Value)).ToList();
        LeaseKey[][] keys = [.. leases.Select(static lease => new[] { new LeaseKey(lease.Message.Id, lease.Receipt) })];
        var touched = await Task.WhenAll(keys.Select(key => store.TouchAsync(Queue, key, TimeSpan.FromMinutes(5)).AsTask())).WithTimeout();
        var settled = await Task.WhenAll(keys.Select((key, call) => call % 2 == 0
            ? store.AckAsync(Queue, key).AsTask()
            : store.ReleaseAsync(Queue, key, new ReleaseRequest(Error: $"error {call % 4}")).AsTask())).WithTimeout();
        var late = await Task.WhenAll(keys.Select(key => store.AckAsync(Queue, key).AsTask())).WithTimeout();

        Assert.Equal(Bodies(Calls), leases.Select(static lease => BodyOf(lease.Message)).Order());
        Assert.Equal(Calls, leases.Select(static lease => lease.Receipt).Distinct().Count());
        Assert.All(touched.Concat(settled), static answer => Assert.Equal([QueueError.None], answer));
        Assert.Equal([QueueError.NotFound, QueueError.LeaseLost], late.SelectMany(static answer => answer).Distinct().Order());
        var released = (await store.BrowseAsync(Queue, MessageState.Ready, null, Calls)).Value.Messages;
        Assert.Equal(["error 1", "error 3"], released.Select(static message => message.LastError).Distinct().Order());
        Assert.Equal(Calls / 2, released.Count);
        Assert.InRange(await ScriptsAsync(redis) - before, 1, Calls);
    }

    private static async Task FillAsync(RedisMessageStore store, int count) => Assert.True((await store.PutManyAsync(
        Queue, [.. Bodies(count).Select(static body => RedisStores.Message(body))]).WithTimeout()).Ok);

    private static IEnumerable<string> Bodies(int count) => Enumerable.Range(0, count).Select(static number => $"{number:d3}");

    private static string BodyOf(Message message) => Encoding.UTF8.GetString(message.Body.Span);

    /// <summary>How many scripts Redis has run.</summary>
    private static async Task<long> ScriptsAsync(RedisServer redis)
    {
        const string Prefix = "cmdstat_evalsha:calls=";
        var line = (await redis.CommandAsync("INFO", "commandstats"))
            .Split("\r\n")
            .Single(static line => line.StartsWith(Prefix, StringComparison.Ordinal));
        return long.Parse(line[Prefix.Length..].Split(',')[0], CultureInfo.InvariantCulture);
    }

    private static async Task<IReadOnlyList<int>> AfterAsync(Task before, IReadOnlyList<int> calls)
    {
        await before;
        return calls;
    }
}
