using PushQueue.Queues;
using PushQueue.Storage.Redis;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Storage.Redis;

/// <summary>A node's work between its heartbeats, with an upkeep that the test can hold up and let fail.</summary>
public sealed class RedisUpkeepTests(SharedRedis redis)
{
    [Fact]
    public async Task Heartbeats_continue_while_a_node_declares_another_dead()
    {
        var options = await redis.OptionsAsync();
        var upkeep = new HeldUpUpkeep();
        await using var node = await StartedNode.StartAsync(options, upkeep);
        upkeep.Held = new TaskCompletionSource();
        await redis.CommandAsync("SADD", $"{options.KeyPrefix}:{{nodes}}", "4503599627370497");
        await Eventually.TrueAsync(() => upkeep.Ended.Contains("4503599627370497"), "it is being declared dead");

        await node.SendsHeartbeatAsync(redis);

        upkeep.Held.SetResult();
    }

    [Fact]
    public async Task Leases_taken_under_a_number_that_was_declared_dead_are_ended_though_the_first_try_fails()
    {
        var options = await redis.OptionsAsync();
        var upkeep = new HeldUpUpkeep();
        await using var node = await StartedNode.StartAsync(options, upkeep);
        var old = node.Node.Identity.Number;
        upkeep.Failures.Enqueue(new StoreUnavailableException("Not now."));

        Assert.Equal(":1\r\n", await redis.CommandAsync("SREM", $"{options.KeyPrefix}:{{nodes}}", old));

        await Eventually.TrueAsync(() => upkeep.Ended.Count(number => number == old) == 2, "it is tried again");
        Assert.NotEqual(old, node.Node.Identity.Number);
    }

    [Fact]
    public async Task A_node_comes_back_although_the_way_back_failed_in_a_way_that_nobody_knows()
    {
        var options = await redis.OptionsAsync();
        var upkeep = new HeldUpUpkeep();
        await using var node = await StartedNode.StartAsync(options, upkeep);
        node.Log.ExpectError("(upkeep) failed");
        upkeep.Failures.Enqueue(new InvalidOperationException("Nobody knows."));

        node.Node.Suspect("The test says so.");

        await Eventually.TrueAsync(() => node.Node.UnavailableReason is null && upkeep.Resumed > 0, "it is back");
        Assert.Contains(node.Log.Entries, static entry => entry.Text.Contains("(upkeep) failed", StringComparison.Ordinal));
    }

    /// <summary>A node without a store.</summary>
    private sealed class StartedNode(
        RedisStoreOptions options,
        RedisConnection connection,
        RedisNotifications bells,
        RedisTimers timers,
        RedisNode node,
        VerifyingLogger log)
        : IAsyncDisposable
    {
        public RedisNode Node => node;

        public VerifyingLogger Log => log;

        public static async Task<StartedNode> StartAsync(RedisStoreOptions options, IRedisUpkeep upkeep)
        {
            options = options with { HeartbeatInterval = TimeSpan.FromMilliseconds(50) };
            var log = new VerifyingLogger();
            var logger = log.CreateLogger("node");
            var faults = new FaultBorder("upkeep", logger, meter: null);
            var connection = new RedisConnection(options, logger);
            var timers = new RedisTimers(
                connection, new RedisClock(TimeProvider.System, follows: true), TimeProvider.System,
                static _ => Task.FromResult(0L), logger, faults);
            RedisNode? node = null;
            var bells = new RedisNotifications(
                connection,
                new RecordingListener(),
                () => node!.Identity.Number,
                static (_, _) => { },
                static _ => { },
                logger,
                faults);
            node = new RedisNode(connection, bells, timers, new RedisTotals(), options, upkeep, logger, faults);
            await connection.OpenAsync().WithTimeout();
            await bells.OpenAsync().WithTimeout();
            await node.StartAsync().WithTimeout();
            return new StartedNode(options, connection, bells, timers, node, log);
        }

        public async Task SendsHeartbeatAsync(SharedRedis redis)
        {
            var life = $"{options.KeyPrefix}:{{nodes}}:life:{node.Identity.Number}";
            await redis.CommandAsync("DEL", life);
            await Eventually.TrueAsync(async () => await redis.CommandAsync("EXISTS", life) == ":1\r\n", "the node sends heartbeats");
        }

        public async ValueTask DisposeAsync()
        {
            await timers.StopAsync().WithTimeout();
            await node.StopAsync().WithTimeout();
            await bells.CloseAsync().WithTimeout();
            timers.Dispose();
            await connection.DisposeAsync().WithTimeout();
            log.Verify();
        }
    }

    private sealed class HeldUpUpkeep : IRedisUpkeep
    {
        private readonly Lock _gate = new();
        private readonly List<string> _ended = [];
        private int _resumed;

        public TaskCompletionSource? Held { get; set; }

        /// <summary>The exception of the next calls.</summary>
        public System.Collections.Concurrent.ConcurrentQueue<Exception> Failures { get; } = new();

        public int Resumed => Volatile.Read(ref _resumed);

        public IReadOnlyList<string> Ended
        {
            get
            {
                lock (_gate)
                {
                    return [.. _ended];
                }
            }
        }

        public async Task<EndedLeases> EndLeasesOfAsync(string node, bool mayWake, IEnumerable<QueueName>? queues = null)
        {
            lock (_gate)
            {
                _ended.Add(node);
            }

            await (Held?.Task ?? Task.CompletedTask);
            FailOnce();
            return new EndedLeases([], AllEnded: true);
        }

        public Task<bool> ForgetAsync(string node, IReadOnlyList<QueueName> ended) => Task.FromResult(true);

        public Task ReleaseLostAsync() => Task.CompletedTask;

        public Task FeedHistoriesAsync() => Task.CompletedTask;

        public Task RecordQueuesAsync(NodeIdentity identity)
        {
            FailOnce();
            return Task.CompletedTask;
        }

        public Task RegisterAllDueAsync() => Task.CompletedTask;

        public void NotifyResumed() => Interlocked.Increment(ref _resumed);

        private void FailOnce()
        {
            if (Failures.TryDequeue(out var failure))
            {
                throw failure;
            }
        }
    }
}
