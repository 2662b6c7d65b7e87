using PushQueue.Queues;
using PushQueue.Storage.Redis;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Storage.Redis;

/// <summary>What a node does beside its beats, with an undertaker that the test can hold up and let fail.</summary>
public sealed class RedisUpkeepTests(SharedRedis redis)
{
    [Fact]
    public async Task A_node_goes_on_beating_while_it_buries_another()
    {
        var options = await redis.OptionsAsync();
        var undertaker = new HeldUpUndertaker();
        await using var node = await StartedNode.StartAsync(options, undertaker);
        undertaker.Burying = new TaskCompletionSource();
        await redis.CommandAsync("SADD", $"{options.KeyPrefix}:{{nodes}}", "4503599627370497");
        await Eventually.TrueAsync(() => undertaker.Ended.Contains("4503599627370497"), "it is being buried");

        await node.BeatsAgainAsync(redis);

        undertaker.Burying.SetResult();
    }

    [Fact]
    public async Task Leases_taken_under_a_number_that_was_buried_are_ended_though_the_first_try_fails()
    {
        var options = await redis.OptionsAsync();
        var undertaker = new HeldUpUndertaker();
        await using var node = await StartedNode.StartAsync(options, undertaker);
        var old = node.Node.Identity.Number;
        undertaker.Failures.Enqueue(new StoreUnavailableException("Not now."));

        Assert.Equal(":1\r\n", await redis.CommandAsync("SREM", $"{options.KeyPrefix}:{{nodes}}", old));

        await Eventually.TrueAsync(() => undertaker.Ended.Count(number => number == old) == 2, "it is tried again");
        Assert.NotEqual(old, node.Node.Identity.Number);
    }

    [Fact]
    public async Task A_node_comes_back_although_the_way_back_failed_in_a_way_that_nobody_knows()
    {
        var options = await redis.OptionsAsync();
        var undertaker = new HeldUpUndertaker();
        await using var node = await StartedNode.StartAsync(options, undertaker);
        node.Log.ExpectError("(upkeep) failed");
        undertaker.Failures.Enqueue(new InvalidOperationException("Nobody knows."));

        node.Node.Suspect("The test says so.");

        await Eventually.TrueAsync(() => node.Node.UnavailableReason is null && undertaker.Resumed > 0, "it is back");
        Assert.Contains(node.Log.Entries, static entry => entry.Text.Contains("(upkeep) failed", StringComparison.Ordinal));
    }

    /// <summary>A node without a store.</summary>
    private sealed class StartedNode(RedisStoreOptions options, RedisConnection connection, RedisBells bells, RedisTimers timers, RedisNode node, VerifyingLogger log)
        : IAsyncDisposable
    {
        public RedisNode Node => node;

        public VerifyingLogger Log => log;

        public static async Task<StartedNode> StartAsync(RedisStoreOptions options, IRedisUndertaker undertaker)
        {
            options = options with { BeatInterval = TimeSpan.FromMilliseconds(50) };
            var log = new VerifyingLogger();
            var logger = log.CreateLogger("node");
            var faults = new FaultBorder("upkeep", logger, meter: null);
            var connection = new RedisConnection(options, logger);
            var timers = new RedisTimers(connection, TimeProvider.System, static _ => Task.FromResult(0L), logger, faults);
            RedisNode? node = null;
            var bells = new RedisBells(connection, new RecordingListener(), () => node!.Identity.Number, static (_, _) => { }, static _ => { }, logger, faults);
            node = new RedisNode(connection, bells, timers, new RedisTotals(), options, undertaker, logger, faults);
            await connection.OpenAsync().WithTimeout();
            await bells.OpenAsync().WithTimeout();
            await node.StartAsync().WithTimeout();
            return new StartedNode(options, connection, bells, timers, node, log);
        }

        public async Task BeatsAgainAsync(SharedRedis redis)
        {
            var life = $"{options.KeyPrefix}:{{nodes}}:life:{node.Identity.Number}";
            await redis.CommandAsync("DEL", life);
            await Eventually.TrueAsync(async () => await redis.CommandAsync("EXISTS", life) == ":1\r\n", "the node beats");
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

    private sealed class HeldUpUndertaker : IRedisUndertaker
    {
        private readonly Lock _gate = new();
        private readonly List<string> _ended = [];
        private int _resumed;

        public TaskCompletionSource? Burying { get; set; }

        /// <summary>What the next things fail with.</summary>
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

            await (Burying?.Task ?? Task.CompletedTask);
            FailOnce();
            return new EndedLeases([], AllEnded: true);
        }

        public Task<bool> ForgetAsync(string node, IReadOnlyList<QueueName> ended) => Task.FromResult(true);

        public Task ReleaseLostAsync() => Task.CompletedTask;

        public Task NoteQueuesAsync(NodeIdentity identity)
        {
            FailOnce();
            return Task.CompletedTask;
        }

        public Task RegisterAllDueAsync() => Task.CompletedTask;

        public void TellResumed() => Interlocked.Increment(ref _resumed);

        private void FailOnce()
        {
            if (Failures.TryDequeue(out var failure))
            {
                throw failure;
            }
        }
    }
}
