using System.Text;
using PushQueue.Queues;
using PushQueue.Storage.Redis;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Storage.Redis;

/// <summary>Nodes whose wall clocks are wrong, or are set, follow the clock of Redis.</summary>
public sealed class RedisClockTests(SharedRedis redis)
{
    private static readonly QueueName Queue = RedisStores.Queue;

    public static TheoryData<int> WrongByHours => [2, -2, 24 * 365];

    [Theory]
    [MemberData(nameof(WrongByHours))]
    public async Task A_node_whose_wall_clock_is_wrong_ends_and_delays_nothing_early_or_late(int hours)
    {
        await using var stores = new RedisStores(await redis.OptionsAsync() with { FollowsClockOfRedis = true });
        var right = await stores.OpenAsync();
        var wrong = await stores.OpenAsync(time: new SkewedClock(TimeSpan.FromHours(hours)));
        Assert.InRange((wrong.Now - TimeProvider.System.GetUtcNow()).Duration(), TimeSpan.Zero, TimeSpan.FromSeconds(5));

        // Leases, delays and times to live of one node, as the other node sees them.
        _ = await right.UpdateSettingsAsync(Queue, new QueueSettingsPatch { Policy = DeliveryPolicy.RoundRobin });
        foreach (var (store, other) in new[] { (wrong, right), (right, wrong) })
        {
            await RedisStores.PutAsync(store, "leased");
            var lease = Assert.Single(
                (await store.LeaseAsync(Queue, new LeaseRequest(1, int.MaxValue, TimeSpan.FromMinutes(30), "w"))).Value);
            Assert.InRange(
                lease.Until!.Value - TimeProvider.System.GetUtcNow(), TimeSpan.FromMinutes(29), TimeSpan.FromMinutes(31));
            Assert.Empty(await RedisStores.TakeAllAsync(other));
            Assert.Equal(QueueError.None, Assert.Single(await other.CheckAsync(Queue, [new LeaseKey(lease.Message.Id, lease.Receipt)])));
            Assert.Equal(QueueError.None, Assert.Single(await other.AckAsync(Queue, [new LeaseKey(lease.Message.Id, lease.Receipt)])));

            Assert.True((await store.PutAsync(Queue, Message("later") with { AvailableAt = store.Now + TimeSpan.FromMinutes(30) })).Ok);
            Assert.True((await store.PutAsync(Queue, Message("kept") with { TimeToLive = TimeSpan.FromMinutes(30) })).Ok);
            Assert.Equal(1, (await other.GetQueueAsync(Queue))!.Delayed);
            Assert.Equal(["kept"], await RedisStores.TakeAllAsync(other));
            Assert.Equal(1, (await other.PurgeAsync(Queue, 10)).Value);

            Assert.True((await store.PutAsync(Queue, Message("soon") with { AvailableAt = store.Now + TimeSpan.FromSeconds(1) })).Ok);
            await Eventually.TrueAsync(
                async () => (await RedisStores.TakeAllAsync(other)) is ["soon"], "the delayed message is available");
        }
    }

    [Fact]
    public async Task A_wall_clock_that_is_set_while_the_node_runs_changes_nothing()
    {
        var clock = new SkewedClock(TimeSpan.Zero);
        await using var stores = new RedisStores(await redis.OptionsAsync() with { FollowsClockOfRedis = true });
        var store = await stores.OpenAsync(time: clock);
        await RedisStores.PutAsync(store, "leased");
        var lease = Assert.Single((await store.LeaseAsync(Queue, new LeaseRequest(1, int.MaxValue, TimeSpan.FromMinutes(30), "w"))).Value);
        foreach (var hours in new[] { 2, -3 })
        {
            clock.Skew = TimeSpan.FromHours(hours);
            Assert.Equal(QueueError.None, Assert.Single(await store.CheckAsync(Queue, [new LeaseKey(lease.Message.Id, lease.Receipt)])));
            Assert.InRange((store.Now - TimeProvider.System.GetUtcNow()).Duration(), TimeSpan.Zero, TimeSpan.FromSeconds(5));
        }
    }

    [Fact]
    public void The_clock_moves_only_as_far_as_an_answer_proves()
    {
        var time = new TestTimeProvider();
        var clock = new RedisClock(time, follows: true);
        var start = DateTimeOffset.UnixEpoch.AddDays(20_000);
        var startMicroseconds = start.ToUnixTimeMilliseconds() * 1000;
        Assert.Equal(time.GetUtcNow(), clock.Now);

        // An answer that took 100 ms may come from any moment of them.
        Observe(100, startMicroseconds);
        IsAt(50);
        Observe(100, startMicroseconds + 60_000);
        IsAt(150);

        // Redis is ahead of what is possible here, then behind it.
        Observe(10, startMicroseconds + 500_000);
        IsAt(500);
        Observe(10, startMicroseconds + 400_000);
        IsAt(410);

        time.StepClock(TimeSpan.FromHours(5));
        time.Advance(TimeSpan.FromSeconds(10));
        IsAt(10_410);

        void IsAt(int milliseconds) => Assert.InRange(
            clock.Now, start.AddMilliseconds(milliseconds - 1), start.AddMilliseconds(milliseconds));

        void Observe(int milliseconds, long microseconds)
        {
            var askedAt = clock.Timestamp();
            time.Advance(TimeSpan.FromMilliseconds(milliseconds));
            clock.Observe(microseconds, askedAt);
        }
    }

    private static NewMessage Message(string body) => new() { Body = Encoding.UTF8.GetBytes(body), ContentType = "text/plain" };

    /// <summary>The system's clock, whose wall clock is wrong.</summary>
    private sealed class SkewedClock(TimeSpan skew) : TimeProvider
    {
        public TimeSpan Skew { get; set; } = skew;

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Skew;
    }
}
