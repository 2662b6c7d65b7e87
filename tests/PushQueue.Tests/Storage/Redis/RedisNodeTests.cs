using PushQueue.Queues;
using PushQueue.Storage.Redis;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Storage.Redis;

/// <summary>Several nodes on one Redis, and nodes that die.</summary>
public sealed class RedisNodeTests(SharedRedis redis)
{
    private static readonly QueueName Queue = RedisStores.Queue;

    [Fact]
    public async Task What_one_node_puts_another_takes()
    {
        await using var stores = new RedisStores(await redis.OptionsAsync());
        var (first, second) = (await stores.OpenAsync(), await stores.OpenAsync());
        await RedisStores.PutAsync(first, "a");

        var taken = await RedisStores.TakeAllAsync(second);

        Assert.Equal(["a"], taken);
    }

    [Fact]
    public async Task Every_node_hears_what_happens_on_another()
    {
        await using var stores = new RedisStores(await redis.OptionsAsync());
        var listener = new RecordingListener();
        var (first, _) = (await stores.OpenAsync(), await stores.OpenAsync(listener));

        await first.UpdateSettingsAsync(Queue, new QueueSettingsPatch { MaxAttempts = 3 });
        await RedisStores.PutAsync(first, "a");
        await first.BroadcastAsync(Queue, 10, 1000);
        await RedisStores.PutAsync(first, "b");
        var lease = (await first.LeaseAsync(Queue, new LeaseRequest(1, 100, TimeSpan.FromSeconds(30), "w1"))).Value[0];
        await first.ReleaseAsync(Queue, [new LeaseKey(lease.Message.Id, lease.Receipt)], new ReleaseRequest());
        await first.CancelAsync(Queue, lease.Message.Id);
        await first.DeleteQueueAsync(Queue);

        Assert.Equal(3, (await listener.WaitForAsync<SettingsChanged>(Queue)).Settings.MaxAttempts);
        await listener.WaitForAsync<BecameReady>(Queue);
        Assert.Equal(2, (await listener.WaitForAsync<BroadcastTo>(Queue)).NextOffset);
        Assert.Equal(lease.Receipt, (await listener.WaitForAsync<LeaseEnded>(Queue)).Receipt);
        await listener.WaitForAsync<Deleted>(Queue);
        Assert.All(listener.News.OfType<Finished>(), finished => Assert.True(finished.Outcome.Elsewhere));
        Assert.DoesNotContain(listener.News, news => news is WorkerFailed);
    }

    [Fact]
    public async Task Nonsense_on_the_channel_of_notifications_makes_no_node_miss_others()
    {
        var options = await redis.OptionsAsync();
        await using var stores = new RedisStores(options);
        var listener = new RecordingListener();
        var store = await stores.OpenAsync(listener);

        foreach (var nonsense in new[] { "x", "", "\0\u0001a", "\0\u0015" + new string('4', 16) + "queue" + "?" })
        {
            await redis.CommandAsync("PUBLISH", $"{options.KeyPrefix}:0:notifications", nonsense);
        }

        await RedisStores.PutAsync(store, "a");
        await listener.WaitForAsync<BecameReady>(Queue);
        await listener.WaitForAsync<Resumed>(default);
    }

    [Fact]
    public async Task A_lease_taken_on_one_node_is_acked_on_another()
    {
        await using var stores = new RedisStores(await redis.OptionsAsync());
        var (first, second) = (await stores.OpenAsync(), await stores.OpenAsync());
        await RedisStores.PutAsync(first, "a");
        var lease = (await first.LeaseAsync(Queue, new LeaseRequest(1, 100, TimeSpan.FromSeconds(30)))).Value[0];

        var answers = await second.AckAsync(Queue, [new LeaseKey(lease.Message.Id, lease.Receipt)]);

        Assert.Equal([QueueError.None], answers);
        Assert.Equal(0, (await first.GetQueueAsync(Queue))!.Waiting);
    }

    [Fact]
    public async Task Leases_of_a_dead_node_come_back_uncounted_and_its_late_acks_are_refused()
    {
        await using var stores = new RedisStores(await redis.OptionsAsync());
        var dying = await stores.OpenDyingAsync();
        foreach (var body in new[] { "unending", "streamed", "delivered", "leased over REST" })
        {
            await RedisStores.PutAsync(dying, body);
        }

        var unending = await LeaseAsync(dying, new LeaseRequest(1, 100, TimeToRun: null));
        var streamed = await LeaseAsync(dying, new LeaseRequest(1, 100, TimeSpan.FromHours(1), Streaming: true));
        var delivered = await LeaseAsync(dying, new LeaseRequest(1, 100, TimeToRun: null, Delivery: true));
        await LeaseAsync(dying, new LeaseRequest(1, 100, TimeSpan.FromHours(1)));
        var other = await stores.OpenAsync();

        await Eventually.TrueAsync(async () => (await other.GetQueueAsync(Queue))!.Ready == 3, "the dead node's leases are given back");

        var ready = (await other.BrowseAsync(Queue, MessageState.Ready, null, 10)).Value.Messages;
        Assert.Equal([0, 0, 0], ready.Select(message => message.Attempt));
        Assert.Equal(1, (await other.GetQueueAsync(Queue))!.Leased);
        Assert.All(
            await dying.AckAsync(Queue, [KeyOf(unending), KeyOf(streamed), KeyOf(delivered)]),
            answer => Assert.Equal(QueueError.LeaseLost, answer));
    }

    [Fact]
    public async Task A_node_that_was_declared_dead_gets_no_lease_that_nobody_would_ever_end()
    {
        await using var stores = new RedisStores(await redis.OptionsAsync());
        var frozen = await stores.OpenDyingAsync();
        var elsewhere = QueueName.Parse("elsewhere");
        await RedisStores.PutAsync(frozen, "a");
        await RedisStores.PutAsync(frozen, "b", elsewhere);
        await LeaseAsync(frozen, new LeaseRequest(1, 100, TimeToRun: null));
        var other = await stores.OpenAsync();
        await Eventually.TrueAsync(async () => (await other.GetQueueAsync(Queue))!.Ready == 1, "the node is declared dead");

        Assert.Empty((await frozen.LeaseAsync(Queue, new LeaseRequest(1, 100, TimeToRun: null)).WithTimeout()).Value);
        await Eventually.TrueAsync(
            async () =>
                (await redis.CommandAsync("SCARD", $"{stores.Options.KeyPrefix}:{{nodes}}")) == ":1\r\n", "the node is off the list");
        Assert.Empty((await frozen.LeaseAsync(elsewhere, new LeaseRequest(1, 100, TimeToRun: null)).WithTimeout()).Value);
        Assert.Equal(["a"], await RedisStores.TakeAllAsync(other));
    }

    [Fact]
    public async Task A_node_that_leases_in_another_queue_while_it_is_declared_dead_is_not_forgotten_before_that_lease_is_ended()
    {
        await using var stores = new RedisStores(await redis.OptionsAsync());
        var store = await stores.OpenAsync();
        IRedisUpkeep upkeep = store;
        await RedisStores.PutAsync(store, "a");
        var frozen = await stores.OpenDyingAsync();
        var number = store.LivingNodes.Concat(frozen.LivingNodes).Distinct().Single(node => node != Assert.Single(store.LivingNodes));

        var ended = await upkeep.EndLeasesOfAsync(number, mayWake: true).WithTimeout();
        await LeaseAsync(frozen, new LeaseRequest(1, 100, TimeToRun: null));

        Assert.False(await upkeep.ForgetAsync(number, ended.Queues).WithTimeout());
        Assert.Equal([Queue], (await upkeep.EndLeasesOfAsync(number, mayWake: true).WithTimeout()).Queues);
        Assert.True(await upkeep.ForgetAsync(number, [Queue]).WithTimeout());
        Assert.Equal(["a"], await RedisStores.TakeAllAsync(store));
    }

    [Fact]
    public async Task A_node_that_was_declared_dead_and_returns_leases_under_another_number()
    {
        await using var stores = new RedisStores(await redis.OptionsAsync());
        await using var proxy = new TcpProxy(redis.Port);
        var listener = new RecordingListener();
        var frozen = await stores.OpenAsync(
            listener, options =>
                options with
                {
                    Configuration = proxy.Address,
                    HeartbeatInterval = TimeSpan.FromMilliseconds(200),
                    NodeTimeout = TimeSpan.FromSeconds(1),
                });
        await RedisStores.PutAsync(frozen, "a");
        await LeaseAsync(frozen, new LeaseRequest(1, 100, TimeToRun: null));
        var other = await stores.OpenAsync();

        proxy.Freeze();
        await Eventually.TrueAsync(async () => (await other.GetQueueAsync(Queue))!.Ready == 1, "the node is declared dead");
        proxy.Thaw();
        await listener.WaitForAsync<Resumed>(default);

        await Eventually.TrueAsync(
            async () =>
                (await frozen.LeaseAsync(Queue, new LeaseRequest(1, 100, TimeToRun: null)).WithTimeout()) is { Ok: true, Value.Count: 1 },
            "the node leases again");
    }

    [Fact]
    public async Task A_Redis_that_lost_where_a_node_has_leases_is_told_again_when_it_is_back()
    {
        await using var stores = new RedisStores(await redis.OptionsAsync());
        await using var proxy = new TcpProxy(redis.Port);
        var store = await stores.OpenAsync(change: options => options with { Configuration = proxy.Address });
        await RedisStores.PutAsync(store, "a");
        await LeaseAsync(store, new LeaseRequest(1, 100, TimeToRun: null));
        var queuesOf = $"{stores.Options.KeyPrefix}:{{nodes}}:queues:{Assert.Single(store.LivingNodes)}";
        Assert.Equal(":1\r\n", await redis.CommandAsync("DEL", queuesOf));

        proxy.Cut();

        await Eventually.TrueAsync(async () => await redis.CommandAsync("SCARD", queuesOf) == ":1\r\n", "the queue is noted again");
    }

    [Fact]
    public async Task A_node_that_stops_in_order_gives_its_streaming_leases_back_at_once()
    {
        await using var stores = new RedisStores(await redis.OptionsAsync());
        var (leaving, staying) = (await stores.OpenAsync(), await stores.OpenAsync());
        await RedisStores.PutAsync(leaving, "a");
        await LeaseAsync(leaving, new LeaseRequest(1, 100, TimeSpan.FromHours(1), Streaming: true));

        await leaving.DisposeAsync().WithTimeout();

        Assert.Equal(["a"], await RedisStores.TakeAllAsync(staying));
    }

    [Fact]
    public async Task What_falls_due_is_told_though_the_node_that_put_it_is_gone()
    {
        await using var stores = new RedisStores(await redis.OptionsAsync());
        var listener = new RecordingListener();
        var leaving = await stores.OpenAsync();
        await stores.OpenAsync(listener);
        await leaving.PutAsync(Queue, RedisStores.Message("later", TimeSpan.FromSeconds(1)));

        await leaving.DisposeAsync().WithTimeout();

        await listener.WaitForAsync<BecameReady>(Queue);
    }

    [Fact]
    public async Task A_node_that_starts_finds_what_falls_due_though_the_index_is_lost()
    {
        var options = await redis.OptionsAsync();
        await using var stores = new RedisStores(options);
        var first = await stores.OpenAsync();
        await first.PutAsync(Queue, RedisStores.Message("later", TimeSpan.FromSeconds(1)));
        await first.DisposeAsync().WithTimeout();
        await redis.CommandAsync("DEL", $"{options.KeyPrefix}:{{due}}:at");
        var listener = new RecordingListener();

        await stores.OpenAsync(listener);

        await listener.WaitForAsync<BecameReady>(Queue);
    }

    [Fact]
    public async Task A_name_in_the_index_that_is_no_queues_stops_nothing_that_falls_due()
    {
        var options = await redis.OptionsAsync();
        await using var stores = new RedisStores(options);
        var listener = new RecordingListener();
        var store = await stores.OpenAsync(listener);
        await redis.CommandAsync("ZADD", $"{options.KeyPrefix}:{{due}}:at", "1", "no/queue");

        await store.PutAsync(Queue, RedisStores.Message("later", TimeSpan.FromSeconds(1)));

        await listener.WaitForAsync<BecameReady>(Queue);
        await Eventually.TrueAsync(
            async () =>
                await redis.CommandAsync(
                    "EXISTS",
                    $"{options.KeyPrefix}:{{due}}:at",
                    $"{options.KeyPrefix}:{{due}}:claimed") == ":0\r\n", "the index is empty");
    }

    [Fact]
    public async Task A_node_that_is_gone_takes_no_more_turns()
    {
        await using var stores = new RedisStores(await redis.OptionsAsync());
        var dying = await stores.OpenDyingAsync();
        await RedisStores.PutAsync(dying, "a");
        await LeaseAsync(dying, new LeaseRequest(1, 100, TimeToRun: null, Delivery: true, Streaming: true, Consumers: 1, Room: 1));
        var turns = $"{stores.Options.KeyPrefix}:{{jobs}}:0:turns";
        Assert.Equal(":1\r\n", await redis.CommandAsync("HLEN", turns));

        await stores.OpenAsync();

        await Eventually.TrueAsync(async () => await redis.CommandAsync("HLEN", turns) == ":0\r\n", "it is taken off");
    }

    [Fact]
    public async Task An_idle_queue_is_in_no_index()
    {
        var options = await redis.OptionsAsync();
        await using var stores = new RedisStores(options);
        var store = await stores.OpenAsync();
        await RedisStores.PutAsync(store, "a");
        await LeaseAsync(store, new LeaseRequest(1, 100, TimeSpan.FromMilliseconds(50)));
        await Eventually.TrueAsync(async () => (await store.GetQueueAsync(Queue))!.Ready == 1, "the lease ended");

        await RedisStores.TakeAllAsync(store);

        await Eventually.TrueAsync(
            async () => await redis.CommandAsync("ZCARD", $"{options.KeyPrefix}:{{due}}:at") == ":0\r\n",
            "nothing is due");
    }

    [Theory]
    [InlineData("br{ace")]
    [InlineData("}{")]
    [InlineData("100% {a}")]
    [InlineData("{}")]
    public async Task Names_with_braces_are_queues_of_their_own(string name)
    {
        await using var stores = new RedisStores(await redis.OptionsAsync());
        var store = await stores.OpenAsync();
        var queue = QueueName.Parse(name);
        await store.UpdateSettingsAsync(queue, new QueueSettingsPatch { MaxAttempts = 1 });
        await RedisStores.PutAsync(store, "a", queue);
        var lease = (await store.LeaseAsync(queue, new LeaseRequest(1, 100, TimeSpan.FromSeconds(30)))).Value[0];

        await store.ReleaseAsync(queue, [KeyOf(lease)], new ReleaseRequest());

        Assert.Equal(1, (await store.GetQueueAsync(queue.DeadLetter))!.Ready);
        Assert.Equal(2, (await store.ListQueuesAsync(null, 10)).Total);
    }

    private static async Task<Lease> LeaseAsync(IMessageStore store, LeaseRequest request) =>
        Assert.Single((await store.LeaseAsync(Queue, request).WithTimeout()).Value);

    private static LeaseKey KeyOf(Lease lease) => new(lease.Message.Id, lease.Receipt);
}
