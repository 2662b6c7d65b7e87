using PushQueue.Storage.Redis;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Storage.Redis;

/// <summary>The whole application on Redis.</summary>
public sealed class RedisServerTests
{
    [Fact]
    public async Task A_server_whose_Redis_is_away_says_so_and_when_to_come_back()
    {
        await using var redis = await RedisServer.StartAsync("--appendonly", "yes", "--appendfsync", "always");
        await using var server = await PushQueueServer.StartAsync(options => options.Storage.Redis = redis.Address);
        var put = await server.PostAsync("/q/jobs", "a");

        await redis.KillAsync();
        await Eventually.TrueAsync(async () => (await server.GetAsync("/readyz")).Status == 503, "the node is not ready");
        var refused = await server.PostAsync("/q/jobs", "b");
        var looked = await server.GetAsync("/j/jobs");
        await redis.StartAgainAsync();
        await Eventually.TrueAsync(async () => (await server.GetAsync("/readyz")).Status == 200, "the node is ready");

        Assert.Equal(201, put.Status);
        Assert.Contains("\"durability\":\"redis\"", put.Text, StringComparison.Ordinal);
        foreach (var answer in new[] { refused, looked })
        {
            Assert.Equal(503, answer.Status);
            Assert.Equal("store-unavailable", answer.Problem);
            Assert.True(answer.Headers.ContainsKey("Retry-After"));
        }

        Assert.Equal("a", (await server.GetAsync("/q/jobs")).Text);
    }

    [Fact]
    public async Task A_put_that_shall_wait_for_a_replica_says_when_there_is_none()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var server = await PushQueueServer.StartAsync(options =>
        {
            options.Storage.Redis = redis.Address;
            options.Storage.RedisWait = 1;
        });

        var alone = await server.PostAsync("/q/jobs", "a");
        await using var replica = await RedisServer.StartAsync("--replicaof", $"127.0.0.1 {redis.Port}");
        await Eventually.TrueAsync(
            async () =>
                (
                    await redis.CommandAsync(
                        "INFO",
                        "replication")).Contains("state=online", StringComparison.Ordinal), "the replica is there");
        var together = await server.PostAsync("/q/jobs", "b");

        Assert.Equal(503, alone.Status);
        Assert.Contains("0 of 1 replicas", alone.Text, StringComparison.Ordinal);
        Assert.Equal(201, together.Status);
        Assert.Contains("\"durability\":\"redis:wait:1\"", together.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_put_waits_at_the_master_though_a_replica_is_named_first()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var replica = await RedisServer.StartAsync("--replicaof", $"127.0.0.1 {redis.Port}");
        await Eventually.TrueAsync(
            async () =>
                (
                    await redis.CommandAsync(
                        "INFO",
                        "replication")).Contains("state=online", StringComparison.Ordinal), "the replica is there");
        await using var stores = new RedisStores(
            new RedisStoreOptions { Configuration = $"{replica.Address},{redis.Address}", WaitForReplicas = 1 });

        await RedisStores.PutAsync(await stores.OpenAsync(), "a");

        Assert.Contains("cmdstat_wait:calls=1,", await redis.CommandAsync("INFO", "commandstats"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_hundred_thousand_messages_go_in_together_and_no_more()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var server = await PushQueueServer.StartAsync(options =>
        {
            options.Storage.Redis = redis.Address;
            options.Queues.BatchMessagesMax = 200_000;
        });

        var most = await server.PostAsync("/q/jobs/batch", string.Join('\n', Enumerable.Range(0, 100_000)), "application/x-ndjson");
        var more = await server.PostAsync("/q/jobs/batch", string.Join('\n', Enumerable.Range(0, 100_001)), "application/x-ndjson");

        Assert.Equal(201, most.Status);
        Assert.Equal(413, more.Status);
        Assert.Equal("batch-too-large", more.Problem);
        Assert.Contains("100000 messages", more.Text, StringComparison.Ordinal);
        Assert.Contains("\"ready\":100000", (await server.GetAsync("/j/jobs")).Text, StringComparison.Ordinal);
    }
}
