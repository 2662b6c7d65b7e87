using PushQueue.Queues;
using PushQueue.Storage.Redis;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Storage.Redis;

/// <summary>A Redis of the test's own, which is killed, frozen and started again.</summary>
public sealed class RedisOutageTests
{
    private static readonly QueueName Queue = RedisStores.Queue;
    private static readonly string[] Lossless = ["--appendonly", "yes", "--appendfsync", "always"];

    [Fact]
    public async Task While_Redis_is_away_puts_are_refused_and_after_that_all_goes_on_by_itself()
    {
        await using var redis = await RedisServer.StartAsync(Lossless);
        await using var stores = new RedisStores(OptionsOf(redis));
        var listener = new RecordingListener();
        var store = await stores.OpenAsync(listener);
        await RedisStores.PutAsync(store, "before");

        await redis.KillAsync();
        await Eventually.TrueAsync(() => store.UnavailableReason is not null, "the store says that it cannot serve");
        var refused = await store.PutAsync(Queue, RedisStores.Message("meanwhile")).WithTimeout();
        var taken = await store.TakeAsync(Queue, 1, int.MaxValue).WithTimeout();
        var acked = await store.AckAsync(Queue, [new LeaseKey(MessageId.FromNumber(1), new Receipt(1))]).WithTimeout();
        await Assert.ThrowsAsync<StoreUnavailableException>(() => store.GetQueueAsync(Queue).AsTask().WithTimeout());
        await redis.StartAgainAsync();
        await listener.WaitForAsync<Resumed>(default);

        Assert.Equal(QueueError.StoreUnavailable, refused.Error);
        Assert.DoesNotContain(redis.Address, refused.Detail, StringComparison.Ordinal);
        Assert.Equal(QueueError.StoreUnavailable, taken.Error);
        Assert.Equal([QueueError.StoreUnavailable], acked);
        Assert.Null(store.UnavailableReason);
        await RedisStores.PutAsync(store, "after");
        Assert.Equal(["before", "after"], await RedisStores.TakeAllAsync(store));
    }

    [Fact]
    public async Task A_Redis_that_answers_no_more_is_noticed_and_so_is_its_return()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var stores = new RedisStores(OptionsOf(redis) with { CommandTimeout = TimeSpan.FromSeconds(1) });
        var listener = new RecordingListener();
        var store = await stores.OpenAsync(listener);

        redis.Freeze();
        try
        {
            await Eventually.TrueAsync(() => store.UnavailableReason is not null, "the store says that it cannot serve");
            var refused = await store.PutAsync(Queue, RedisStores.Message("meanwhile")).WithTimeout();
            Assert.Equal(QueueError.StoreUnavailable, refused.Error);
        }
        finally
        {
            redis.Thaw();
        }

        await listener.WaitForAsync<Resumed>(default);
        await RedisStores.PutAsync(store, "after");
    }

    [Fact]
    public async Task Broadcasts_go_on_after_a_restart_of_a_Redis_that_loses_nothing()
    {
        await using var redis = await RedisServer.StartAsync(Lossless);
        await using var stores = new RedisStores(OptionsOf(redis));
        var store = await stores.OpenAsync();
        var before = await BroadcastAsync(store, "a");

        await redis.KillAsync();
        await redis.StartAgainAsync();
        await RedisStores.PutAtLastAsync(store, "b");
        var sent = await store.BroadcastAsync(Queue, 10, 1000).AsTask().WithTimeout();

        Assert.Equal([2L], sent.Select(message => message.Offset));
        Assert.Equal(before.Epoch, (await store.GetQueueAsync(Queue))!.Position.Epoch);
    }

    [Theory]
    [InlineData("--appendonly", "yes", "--appendfsync", "everysec")]
    [InlineData("--save", "3600 1")]
    [InlineData("--save", "")]
    public async Task After_a_restart_that_may_have_lost_something_the_epoch_is_another_and_no_offset_is_given_twice(
        params string[] options)
    {
        await using var redis = await RedisServer.StartAsync(options);
        await using var stores = new RedisStores(OptionsOf(redis));
        var store = await stores.OpenAsync();
        var before = await BroadcastAsync(store, "a");
        await BroadcastAsync(store, "b");

        await redis.KillAsync();
        await redis.StartAgainAsync();
        await RedisStores.PutAtLastAsync(store, "c");
        var sent = await store.BroadcastAsync(Queue, 10, 1000).AsTask().WithTimeout();

        var after = (await store.GetQueueAsync(Queue))!.Position;
        Assert.NotEqual(before.Epoch, after.Epoch);
        Assert.Equal([3L], sent.Select(message => message.Offset));
        Assert.Equal(3, after.EpochOffset);
    }

    [Fact]
    public async Task A_Redis_that_was_emptied_begins_anew_under_another_epoch()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var stores = new RedisStores(OptionsOf(redis));
        var listener = new RecordingListener();
        var store = await stores.OpenAsync(listener);
        var before = await BroadcastAsync(store, "a");

        await redis.CommandAsync("FLUSHALL");
        await RedisStores.PutAsync(store, "b");
        var sent = await store.BroadcastAsync(Queue, 10, 1000).AsTask().WithTimeout();

        Assert.NotEqual(before.Epoch, (await store.GetQueueAsync(Queue))!.Position.Epoch);
        Assert.Equal([2L], sent.Select(message => message.Offset));
        await listener.WaitForAsync<Resumed>(default);
    }

    [Fact]
    public async Task Scripts_that_Redis_forgot_are_loaded_again()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var stores = new RedisStores(OptionsOf(redis));
        var store = await stores.OpenAsync();
        var before = await BroadcastAsync(store, "a");

        await redis.CommandAsync("SCRIPT", "FLUSH");
        await RedisStores.PutAsync(store, "b");

        Assert.Equal(before.Epoch, (await store.GetQueueAsync(Queue))!.Position.Epoch);
    }

    [Theory]
    [InlineData(false, null)]
    [InlineData(true, null)]
    [InlineData(false, 3600)]
    public async Task Leases_whose_answer_was_lost_go_back_and_count_as_no_attempt(bool delivery, int? seconds)
    {
        await using var redis = await RedisServer.StartAsync(Lossless);
        await using var network = new TcpProxy(redis.Port);
        await using var stores = new RedisStores(
            OptionsOf(redis) with { CommandTimeout = TimeSpan.FromSeconds(1), NodeTimeout = TimeSpan.FromMinutes(1) });
        var other = await stores.OpenAsync();
        var store = await stores.OpenAsync(change: options => options with { Configuration = network.Address });
        await RedisStores.PutAsync(other, "a");
        await RedisStores.PutAsync(other, "b");
        var request = new LeaseRequest(
            1,
            100,
            seconds is { } time ? TimeSpan.FromSeconds(time) : null,
            Delivery: delivery,
            Streaming: !delivery);
        var held = (await store.LeaseAsync(Queue, request)).Value[0];

        network.LosesAnswer = static _ => true;
        var unheard = await store.LeaseAsync(Queue, request).WithTimeout();
        Assert.Equal(QueueError.StoreUnavailable, unheard.Error);
        Assert.Equal(2, (await other.GetQueueAsync(Queue))!.Leased);
        network.LosesAnswer = null;
        network.Cut();

        await Eventually.TrueAsync(async () => (await other.GetQueueAsync(Queue))!.Leased == 1, "the lease that nobody knows of has ended");
        Assert.Equal([QueueError.None], await other.CheckAsync(Queue, [new LeaseKey(held.Message.Id, held.Receipt)]));
        var again = (await other.LeaseAsync(Queue, new LeaseRequest(1, 100, TimeSpan.FromSeconds(30)))).Value[0];
        Assert.Equal(1, again.Message.Attempt);
        await Eventually.TrueAsync(() => store.UnavailableReason is null, "the store serves again");
    }

    [Fact]
    public async Task A_Redis_out_of_memory_refuses_puts_in_a_sentence_and_still_gives_out()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var stores = new RedisStores(OptionsOf(redis));
        var store = await stores.OpenAsync();
        await RedisStores.PutAsync(store, "a");
        await RedisStores.PutAsync(store, "b");
        await redis.CommandAsync("CONFIG", "SET", "maxmemory", "1");

        var refused = await store.PutAsync(Queue, RedisStores.Message("c")).WithTimeout();
        var lease = (await store.LeaseAsync(Queue, new LeaseRequest(1, 100, TimeSpan.FromSeconds(30)))).Value[0];
        var acked = await store.AckAsync(Queue, [new LeaseKey(lease.Message.Id, lease.Receipt)]);
        var taken = await RedisStores.TakeAllAsync(store);

        Assert.Equal(QueueError.StoreUnavailable, refused.Error);
        Assert.Contains("out of memory", refused.Detail, StringComparison.Ordinal);
        Assert.Equal([QueueError.None], acked);
        Assert.Equal(["b"], taken);
        Assert.Null(store.UnavailableReason);
    }

    [Fact]
    public async Task A_key_of_another_program_in_the_way_is_a_sentence_and_harms_no_other_queue()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var stores = new RedisStores(OptionsOf(redis));
        var store = await stores.OpenAsync();
        await redis.CommandAsync("SET", "pq:{jobs}:0", "mine");

        var refused = await store.PutAsync(Queue, RedisStores.Message("a")).WithTimeout();

        Assert.Equal(QueueError.StoreUnavailable, refused.Error);
        Assert.Contains("another program", refused.Detail, StringComparison.Ordinal);
        await RedisStores.PutAsync(store, "a", QueueName.Parse("other"));
        Assert.Null(store.UnavailableReason);
    }

    [Fact]
    public async Task A_node_that_lost_its_subscription_on_the_way_back_hears_again()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var proxy = new TcpProxy(redis.Port);
        await using var stores = new RedisStores(OptionsOf(redis));
        var listener = new RecordingListener();
        await stores.OpenAsync(listener, options => options with { Configuration = proxy.Address });
        var other = await stores.OpenAsync();

        proxy.Tamper = static piece =>
        {
            // The word SUBSCRIBE before it may have come in a piece of its own.
            if (piece.Span.IndexOf("pq:0:notifications"u8) is >= 0 and var at)
            {
                "no:0:notifications"u8.CopyTo(piece.Span[at..]);
            }
        };
        proxy.Cut();
        await Eventually.TrueAsync(
            async () =>
                (
                    await redis.CommandAsync(
                        "PUBSUB",
                        "CHANNELS")).Contains("no:0:notifications", StringComparison.Ordinal), "the node listens to the wrong channel");
        proxy.Tamper = null;

        await Eventually.TrueAsync(
            async () =>
            {
                await RedisStores.PutAsync(other, "a");
                await RedisStores.TakeAllAsync(other); // only what becomes ready in an empty queue is told
                return listener.News.Any(static news => news is BecameReady);
            },
            "the node hears what the other does");
    }

    [Fact]
    public async Task A_node_without_notifications_looks_for_itself_and_keeps_the_connection_of_its_commands()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var proxy = new TcpProxy(redis.Port);
        await using var stores = new RedisStores(OptionsOf(redis));
        var listener = new RecordingListener();
        var store = await stores.OpenAsync(
            listener, options => options with { Configuration = proxy.Address, HeartbeatInterval = TimeSpan.FromMilliseconds(100) });
        var commands = await ConnectionsAsync(redis, subscribed: false);
        proxy.Tamper = static piece =>
        {
            // The word SUBSCRIBE before it may have come in a piece of its own.
            if (piece.Span.IndexOf("pq:0:notifications"u8) is >= 0 and var at)
            {
                "no:0:notifications"u8.CopyTo(piece.Span[at..]);
            }
        };

        foreach (var bells in await ConnectionsAsync(redis, subscribed: true))
        {
            await redis.CommandAsync("CLIENT", "KILL", "ID", bells);
        }

        await Eventually.TrueAsync(
            () =>
                stores.Log.Entries.Count(
                    static entry =>
                        entry.Text.Contains(
                            "subscribed to them again",
                            StringComparison.Ordinal)) >= 2, "the node subscribes again, in vain");
        await Eventually.TrueAsync(() => listener.News.Count(static news => news is Resumed) >= 3, "the node looks for itself");
        Assert.Null(store.UnavailableReason);
        Assert.Equal(commands, await ConnectionsAsync(redis, subscribed: false));
    }

    [Fact]
    public async Task A_Redis_that_lost_millions_of_offsets_is_not_asked_for_each_of_them()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var stores = new RedisStores(OptionsOf(redis));
        var store = await stores.OpenAsync();
        await store.UpdateSettingsAsync(Queue, new QueueSettingsPatch { HistoryMessages = 100_000_000 });
        await BroadcastAsync(store, "a");
        await redis.CommandAsync("HSET", "pq:{jobs}:0", "next", "50000000");
        await BroadcastAsync(store, "b");

        var before = await OffsetsAsync(store);
        await store.UpdateSettingsAsync(Queue, new QueueSettingsPatch { HistoryMessages = 10 }).WithTimeout();
        var trimmed = await OffsetsAsync(store);
        await redis.CommandAsync("FLUSHALL");
        await RedisStores.PutAsync(store, "c");
        var emptied = (await store.GetQueueAsync(Queue).AsTask().WithTimeout())!.History;
        var next = Assert.Single(await store.BroadcastAsync(Queue, 10, 1000).AsTask().WithTimeout());

        Assert.Equal([1L, 50_000_000L], before);
        Assert.Equal([50_000_000L], trimmed);
        Assert.Equal(0, emptied);
        Assert.Equal(50_000_001, next.Offset);
        Assert.Equal(1, (await store.GetQueueAsync(Queue).AsTask().WithTimeout())!.History);
    }

    internal static RedisStoreOptions OptionsOf(RedisServer redis) => new() { Configuration = redis.Address };

    private static async Task<IEnumerable<long>> OffsetsAsync(IMessageStore store) =>
        (await store.ReadHistoryAsync(Queue, 1, 10, 1000).AsTask().WithTimeout())!.Messages.Select(message => message.Offset);

    /// <summary>The ids of the nodes' connections that have subscriptions, or of those that have none.</summary>
    private static async Task<string[]> ConnectionsAsync(RedisServer redis, bool subscribed) =>
        [.. (await redis.CommandAsync("CLIENT", "LIST")).Split('\n')
            .Where(
                line =>
                    line.Contains(" name=pushqueue ", StringComparison.Ordinal)
                        && line.Contains(" sub=0 ", StringComparison.Ordinal) != subscribed)
            .Select(static line => line.Split(' ')[0].Split('=')[1]).Order()];

    private static async Task<BroadcastPosition> BroadcastAsync(IMessageStore store, string body)
    {
        await RedisStores.PutAsync(store, body);
        Assert.Single(await store.BroadcastAsync(Queue, 10, 1000).AsTask().WithTimeout());
        return (await store.GetQueueAsync(Queue))!.Position;
    }
}
