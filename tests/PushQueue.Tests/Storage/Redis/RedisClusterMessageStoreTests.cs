using PushQueue.Queues;
using PushQueue.Storage.Redis;
using PushQueue.Tests.Contracts;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Storage.Redis;

/// <summary>The Redis store keeps the contract on a Redis Cluster of three masters: no script reaches across slots.</summary>
public sealed class RedisClusterMessageStoreTests(RedisCluster cluster) : MessageStoreContract, IClassFixture<RedisCluster>
{
    private static int _prefixes;
    private RedisStoreOptions? _options;

    /// <summary>A hash tag: queues can subscribe to each other within one.</summary>
    private protected override string NameOf(string test) => $"{{{test}}}";

    [Fact]
    public async Task Queues_of_different_hash_tags_cannot_subscribe_to_each_other()
    {
        foreach (var (queue, to) in new[]
        {
            ("billing", "orders"), ("{shop}billing", "orders"), ("{shop}billing", "*"), ("{shop}billing", "{s*}x"),
        })
        {
            var patch = new QueueSettingsPatch { Subscriptions = QueueSubscriptions.Of([new QueueSubscription(to)]) };
            var refused = await Store.UpdateSettingsAsync(QueueName.Parse(queue), patch).WithTimeout();

            Assert.Equal(QueueError.BadOption, refused.Error);
            Assert.Contains("{shop}billing and {shop}orders", refused.Detail, StringComparison.Ordinal);
            Assert.Null(await Store.GetQueueAsync(QueueName.Parse(queue)).WithTimeout());
        }
    }

    [Fact]
    public async Task Queues_spread_over_the_masters()
    {
        for (var i = 0; i < 50; i++)
        {
            await Store.PutAsync(QueueName.Parse($"spread {i}"), NewMessage("a")).WithTimeout();
        }

        Assert.All(await cluster.KeysAsync(), keys => Assert.True(keys > 0));
    }

    [Fact]
    public async Task While_a_slot_moves_a_queue_refuses_and_nothing_is_done_by_half()
    {
        var queue = QueueName.Parse("moving");
        var key = $"{_options!.KeyPrefix}:{{moving}}:0";
        await Store.PutAsync(queue, NewMessage("a")).WithTimeout();
        var back = await cluster.MoveAsync("moving");

        var refused = await Store.PutAsync(queue, NewMessage("b")).WithTimeout();
        var stored = await cluster.CommandAsync("moving", "HLEN", $"{key}:messages");
        await back();

        Assert.Equal(QueueError.StoreUnavailable, refused.Error);
        Assert.Equal(":1\r\n", stored);
        Assert.Equal(1, (await Store.GetQueueAsync(queue))!.Waiting);
        Assert.True((await Store.PutAsync(queue, NewMessage("b")).WithTimeout()).Ok);
    }

    [Fact]
    public async Task Waiting_for_replicas_is_refused_at_the_start()
    {
        await using var store = new RedisMessageStore(
            new RedisStoreOptions { Configuration = await cluster.AddressAsync(), WaitForReplicas = 1 }, TimeProvider.System, Log);

        var thrown = await Assert.ThrowsAsync<StoreOpenException>(
            () => store.OpenAsync(new RecordingListener(), CancellationToken.None).WithTimeout());

        Assert.EndsWith(
            "is a Redis Cluster, where --redis-wait does not work; leave out --redis-wait.",
            thrown.Message,
            StringComparison.Ordinal);
    }

    private protected override async Task<IMessageStore> CreateStoreAsync(TestTimeProvider time, IQueueChangeListener listener)
    {
        _options ??= new RedisStoreOptions
        {
            Configuration = await cluster.AddressAsync(),
            KeyPrefix = $"c{Interlocked.Increment(ref _prefixes)}",
        };
        var store = new RedisMessageStore(_options, time, Log);
        await store.OpenAsync(listener, CancellationToken.None);
        return store;
    }
}
