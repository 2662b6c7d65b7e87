using PushQueue.Queues;
using PushQueue.Storage.Redis;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Storage.Redis;

/// <summary>A master and a replica that three Sentinels watch.</summary>
public sealed class RedisSentinelTests
{
    private const string Master = "mymaster";

    [Fact]
    public async Task A_failover_is_followed_and_loses_nothing_that_the_replica_has()
    {
        await using var master = await RedisServer.StartAsync();
        await using var replica = await RedisServer.StartAsync("--replicaof", $"127.0.0.1 {master.Port}");
        await Eventually.TrueAsync(
            async () =>
                (
                    await master.CommandAsync(
                        "INFO",
                        "replication")).Contains("state=online", StringComparison.Ordinal), "the replica is there");
        await using var first = await RedisServer.StartSentinelAsync(Master, master.Port);
        await using var second = await RedisServer.StartSentinelAsync(Master, master.Port);
        await using var third = await RedisServer.StartSentinelAsync(Master, master.Port);
        await Eventually.TrueAsync(
            async () =>
                await first.CommandAsync("SENTINEL", "CKQUORUM", Master) is var state
                    && state.StartsWith("+OK 3", StringComparison.Ordinal),
            "the Sentinels know each other");
        await Eventually.TrueAsync(
            async () => (await first.CommandAsync("SENTINEL", "REPLICAS", Master)).Contains($"{replica.Port}", StringComparison.Ordinal),
            "the Sentinels know the replica");
        await using var stores = new RedisStores(new RedisStoreOptions
        {
            Configuration = $"{first.Address},{second.Address},{third.Address},serviceName={Master}",
            WaitForReplicas = 1,
        });
        var store = await stores.OpenAsync();
        await RedisStores.PutAsync(store, "before");

        await master.KillAsync();
        await Eventually.TrueAsync(
            async () =>
                (
                    await replica.CommandAsync(
                        "INFO",
                        "replication")).Contains("role:master", StringComparison.Ordinal), "the replica is promoted");
        await RedisStores.PutAtLastAsync(
            await stores.OpenAsync(change: static options => options with { WaitForReplicas = 0 }),
            "by a new node");
        await Eventually.TrueAsync(() => store.UnavailableReason is null, "the node that was there serves again");

        Assert.Equal(["before", "by a new node"], await RedisStores.TakeAllAsync(store));
    }

    [Fact]
    public async Task The_address_of_a_Sentinel_without_a_name_says_what_it_is_and_what_it_watches()
    {
        await using var master = await RedisServer.StartAsync();
        await using var sentinel = await RedisServer.StartSentinelAsync(Master, master.Port);

        var withoutName = await SentenceAsync(sentinel.Address);
        var wrongName = await SentenceAsync($"{sentinel.Address},serviceName=other");

        Assert.Contains(
            $"is a Sentinel, which stores nothing; add serviceName= with the name of its master (it watches {Master})",
            withoutName,
            StringComparison.Ordinal);
        Assert.Contains($"does not know the master 'other' (it watches {Master})", wrongName, StringComparison.Ordinal);
    }

    private static async Task<string> SentenceAsync(string configuration)
    {
        using var log = new VerifyingLogger();
        await using var store = new RedisMessageStore(new RedisStoreOptions { Configuration = configuration }, TimeProvider.System, log);
        return (
            await Assert.ThrowsAsync<StoreOpenException>(
                () => store.OpenAsync(new RecordingListener(), CancellationToken.None).WithTimeout())).Message;
    }
}
