using PushQueue.Queues;
using PushQueue.Storage.Redis;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Storage.Redis;

/// <summary>
/// One queue has a fault (another program wrote to its key): it is logged with the queue's name and counted, and the others are served.
/// </summary>
public sealed class RedisFaultIsolationTests(SharedRedis redis) : IAsyncLifetime
{
    private static readonly QueueName Bad = QueueName.Parse("bad");
    private static readonly QueueName Good = QueueName.Parse("good");

    private readonly MessageMeter _meter = new(TimeProvider.System);
    private readonly RecordingListener _listener = new();
    private ErrorCounts _errors = null!;
    private RedisStores _stores = null!;

    public async ValueTask InitializeAsync()
    {
        _errors = new ErrorCounts(_meter);
        _stores = new RedisStores(await redis.OptionsAsync() with { Meter = _meter });
    }

    public async ValueTask DisposeAsync()
    {
        await _stores.DisposeAsync();
        _errors.Dispose();
        _meter.Dispose();
    }

    [Fact]
    public async Task Due_timers_wake_the_other_queues()
    {
        var store = await _stores.OpenAsync(_listener);
        var delay = TimeSpan.FromSeconds(1);
        Assert.True((await store.PutAsync(Bad, RedisStores.Message("late", delay)).WithTimeout()).Ok);
        Assert.True((await store.PutAsync(Good, RedisStores.Message("late", delay)).WithTimeout()).Ok);
        _stores.Log.ExpectError("(due-timers) failed for queue bad");
        await BreakAsync();

        await _listener.WaitForAsync<BecameReady>(Good);

        Assert.Single((await store.TakeAsync(Good, 10, 1000).WithTimeout()).Value);
        await Eventually.TrueAsync(() => _errors["due-timers"] > 0, "the fault is counted");
        Assert.Null(store.UnavailableReason);
    }

    [Fact]
    public async Task A_listener_that_fails_costs_no_other_queue_its_notifications()
    {
        var store = await _stores.OpenAsync(_listener);
        _listener.Telling = news =>
        {
            if (news.Queue == Bad)
            {
                throw new InvalidOperationException("Nobody can hear of this queue.");
            }
        };
        _stores.Log.ExpectError("(notification) failed for queue bad");
        await RedisStores.PutAsync(store, "one", Bad);

        await RedisStores.PutAsync(store, "one", Good);

        await _listener.WaitForAsync<BecameReady>(Good);
        Assert.True(_errors["notification"] > 0);
    }

    [Fact]
    public async Task A_page_of_queues_shows_the_healthy_ones()
    {
        var store = await _stores.OpenAsync(_listener);
        await RedisStores.PutAsync(store, "one", Bad);
        await RedisStores.PutAsync(store, "one", Good);
        _stores.Log.ExpectError("(redis-queues) failed for queue bad");
        await BreakAsync();

        var page = await store.ListQueuesAsync(after: null, limit: 10).WithTimeout();

        Assert.Equal([Good], page.Queues.Select(queue => queue.Name));
    }

    [Fact]
    public async Task A_node_starts_although_one_queue_cannot_be_read()
    {
        var store = await _stores.OpenAsync(_listener);
        await RedisStores.PutAsync(store, "one", Bad);
        await RedisStores.PutAsync(store, "one", Good);
        _stores.Log.ExpectError("(redis-queues) failed for queue bad");
        await BreakAsync();

        var second = await _stores.OpenAsync();

        Assert.Single((await second.TakeAsync(Good, 10, 1000).WithTimeout()).Value);
        Assert.True(_errors["redis-queues"] > 0);
    }

    [Fact]
    public async Task Leases_of_a_dead_node_end_in_the_other_queues_and_in_the_faulty_one_once_it_can_be_read()
    {
        var dying = await _stores.OpenDyingAsync();
        await RedisStores.PutAsync(dying, "one", Bad);
        await RedisStores.PutAsync(dying, "one", Good);
        var request = new LeaseRequest(1, 1000, TimeToRun: null);
        Assert.Single((await dying.LeaseAsync(Bad, request).WithTimeout()).Value);
        Assert.Single((await dying.LeaseAsync(Good, request).WithTimeout()).Value);
        _stores.Log.ExpectError("(redis-queues) failed for queue bad");
        await redis.CommandAsync("RENAME", KeyOfBad, KeyOfBad + "-aside");
        await redis.CommandAsync("SET", KeyOfBad, "not a queue");

        var other = await _stores.OpenAsync(
            _listener,
            static options => options with { HeartbeatInterval = TimeSpan.FromMilliseconds(100) });

        await Eventually.TrueAsync(async () => (await other.TakeAsync(Good, 10, 1000)).Value.Count > 0, "the healthy queue's lease ends");
        await redis.CommandAsync("RENAME", KeyOfBad + "-aside", KeyOfBad);
        await Eventually.TrueAsync(async () => (await other.TakeAsync(Bad, 10, 1000)).Value.Count > 0, "the other queue's lease ends");
    }

    [Fact]
    public async Task Leases_whose_answer_was_lost_go_back_in_the_other_queues_and_in_the_faulty_one_once_it_can_be_read()
    {
        await using var network = new TcpProxy(redis.Port);
        var store = await _stores.OpenAsync(_listener, options => options with { Configuration = network.Address });
        var other = await _stores.OpenAsync();
        await RedisStores.PutAsync(other, "precious", Bad);
        await RedisStores.PutAsync(other, "precious", Good);
        var request = new LeaseRequest(1, 1000, TimeToRun: null, Delivery: true);
        _stores.Log.ExpectError("(redis-queues) failed for queue bad");

        // From the lease on no answer at all comes through until the queue is broken: the node must not find its lease before that.
        var leased = false;
        network.LosesAnswer = piece => leased |= piece.Span.IndexOf("precious"u8) >= 0;
        Assert.Equal(QueueError.StoreUnavailable, (await store.LeaseAsync(Bad, request).WithTimeout()).Error);
        Assert.Equal(1, (await other.GetQueueAsync(Bad))!.Leased);
        await redis.CommandAsync("RENAME", KeyOfBad, KeyOfBad + "-aside");
        await redis.CommandAsync("SET", KeyOfBad, "not a queue");
        network.LosesAnswer = static piece => piece.Span.IndexOf("precious"u8) >= 0;
        await Eventually.TrueAsync(() => _errors["redis-queues"] > 0, "the fault is counted");
        Assert.Equal(QueueError.StoreUnavailable, (await store.LeaseAsync(Good, request).WithTimeout()).Error);
        network.LosesAnswer = null;

        await Eventually.TrueAsync(async () => (await other.GetQueueAsync(Good))!.Ready == 1, "the healthy queue's message is back");
        await redis.CommandAsync("RENAME", KeyOfBad + "-aside", KeyOfBad);
        await Eventually.TrueAsync(async () => (await other.GetQueueAsync(Bad))!.Ready == 1, "the other queue's message is back");
        await Eventually.TrueAsync(() => store.UnavailableReason is null, "the node serves");
    }

    [Fact]
    public void A_queue_whose_turn_cannot_be_looked_at_is_tried_again()
    {
        var time = new TestTimeProvider();
        using var log = new VerifyingLogger();
        log.ExpectError("(turns) failed for queue bad");
        var looked = new List<QueueName>();
        var failures = 1;
        void Look(QueueName queue)
        {
            if (queue == Bad && failures-- > 0)
            {
                throw new InvalidOperationException("Not now.");
            }

            looked.Add(queue);
        }

        using var turns = new TurnTimeouts(time, Look, new FaultBorder("turns", log.CreateLogger("turns"), _meter));
        turns.LookLater(Bad);
        turns.LookLater(Good);

        time.Advance(TimeSpan.FromSeconds(2));

        Assert.Equal([Good, Bad], looked);
        log.Verify();
    }

    private string KeyOfBad => $"{_stores.Options.KeyPrefix}:{{bad}}:0";

    private async Task BreakAsync()
    {
        Assert.Equal(":1\r\n", await redis.CommandAsync("DEL", KeyOfBad));
        await redis.CommandAsync("SET", KeyOfBad, "not a queue");
    }
}
