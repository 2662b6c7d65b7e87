using Microsoft.Extensions.DependencyInjection;
using PushQueue.Queues;
using PushQueue.Storage.Redis;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Storage.Redis;

/// <summary>Each node knows the sum over all nodes' queues, and the sum is bounded.</summary>
public sealed class RedisTotalsTests(SharedRedis redis)
{
    private static readonly QueueName Queue = RedisStores.Queue;

    [Fact]
    public async Task The_sums_follow_whatever_becomes_of_messages()
    {
        await using var stores = new RedisStores(await redis.OptionsAsync());
        var (store, other) = (await stores.OpenAsync(), await stores.OpenAsync());
        for (var i = 0; i < 8; i++)
        {
            await RedisStores.PutAsync(store, "four");
        }

        await store.PutManyAsync(Queue, [RedisStores.Message("many"), RedisStores.Message("more")]);
        Assert.Equal(new StoreTotals(1, 10, 40), store.Totals);

        await store.TakeAsync(Queue, 1, int.MaxValue);
        Assert.Single(await store.BroadcastAsync(Queue, 1, 100));
        await store.UpdateSettingsAsync(Queue, new QueueSettingsPatch { MaxAttempts = 1 });
        var leases = (await other.LeaseAsync(Queue, new LeaseRequest(3, 100, TimeSpan.FromSeconds(30)))).Value;
        await other.AckAsync(Queue, [KeyOf(leases[0])]);
        await other.ReleaseAsync(Queue, [KeyOf(leases[1]), KeyOf(leases[2])], new ReleaseRequest());
        await store.CancelAsync(Queue, (await store.LookAsync(Queue))!.Id);
        await store.ReplayAsync(Queue.DeadLetter, null, 1);

        // Ten, without those taken, broadcast, acked, cancelled.
        var expected = new StoreTotals(2, 6, 24);
        await Eventually.TrueAsync(() => store.Totals == expected && other.Totals == expected, "both nodes know");

        await store.DeleteQueueAsync(Queue);
        expected = new StoreTotals(1, 1, 4);
        await Eventually.TrueAsync(() => store.Totals == expected && other.Totals == expected, "both nodes know");
    }

    [Fact]
    public async Task Sums_that_a_dead_node_took_with_it_are_counted_anew()
    {
        var options = await redis.OptionsAsync();
        await using var stores = new RedisStores(options);
        var dying = await stores.OpenDyingAsync();
        await RedisStores.PutAsync(dying, "four"); // handed over with the next beat, which never comes

        var other = await stores.OpenAsync();
        await RedisStores.PutAsync(dying, "four");

        await Eventually.TrueAsync(() => other.Totals == new StoreTotals(1, 2, 8), "the others count what it put");
    }

    [Theory]
    [InlineData("messages", "server-full")]
    [InlineData("bytes", "server-full")]
    [InlineData("queues", "too-many-queues")]
    public async Task Limits_hold_at_every_node(string limit, string problem)
    {
        var redisOptions = await redis.OptionsAsync();
        await using var first = await StartAsync(redisOptions, limit);
        await using var second = await StartAsync(redisOptions, limit);
        foreach (var queue in new[] { "a", "b" })
        {
            Assert.Equal(201, (await first.PostAsync($"/q/{queue}", "four")).Status);
        }

        await Eventually.TrueAsync(() => TotalsOf(second) == new StoreTotals(2, 2, 8), "the other node knows");
        var here = await first.PostAsync("/q/c", "four");
        var there = await second.PostAsync("/q/c", "four");
        await first.Client.DeleteAsync("/q/b");
        await Eventually.TrueAsync(() => TotalsOf(second) == new StoreTotals(1, 1, 4), "the other node knows");

        Assert.Equal((429, problem), (here.Status, here.Problem));
        Assert.Equal((429, problem), (there.Status, there.Problem));
        Assert.Equal(201, (await second.PostAsync("/q/c", "four")).Status);
    }

    private static StoreTotals? TotalsOf(PushQueueServer server) => server.Services.GetRequiredService<IMessageStore>().Totals;

    private static LeaseKey KeyOf(Lease lease) => new(lease.Message.Id, lease.Receipt);

    private static Task<PushQueueServer> StartAsync(RedisStoreOptions redis, string limit) => PushQueueServer.StartAsync(options =>
    {
        options.Storage.Redis = redis.Configuration;
        options.Storage.RedisKeyPrefix = redis.KeyPrefix;
        options.Queues.MessagesMax = limit == "messages" ? 2 : 1000;
        options.Queues.BytesMax = limit == "bytes" ? 8 : 1000;
        options.Queues.QueuesMax = limit == "queues" ? 2 : 1000;
    });
}
