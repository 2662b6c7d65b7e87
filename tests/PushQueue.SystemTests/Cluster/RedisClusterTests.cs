using System.Globalization;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.SystemTests.Cluster;

/// <summary>A Redis Cluster of three masters: each queue is on one of them, by its hash tag.</summary>
public sealed class RedisClusterTests
{
    private const int Slots = 16384;

    [Fact]
    public async Task Queues_on_all_masters_of_a_redis_cluster_work_alike()
    {
        var masters = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => StartMasterAsync()));
        await using var second = masters[1].Redis;
        await using var third = masters[2].Redis;
        await JoinAsync(masters);
        await using var cluster = await ClusterFixture.StartAsync(
            masters[0].Redis,
            string.Join(',', masters.Select(master => master.Redis.Address)));

        foreach (var number in Enumerable.Range(0, 6))
        {
            var queue = $"news-{number}";
            await using var stream = await EventStream.OpenAsync(queue, null, cluster.Addresses[number % 2]);
            await using var producer = new SteadyProducer(queue, cluster.Addresses[(number + 1) % 2]);
            await stream.GotAsync(20);
            await StreamCheck.GotAllAsync(stream, await producer.StopAsync());
        }

        var work = "work";
        await cluster.SetAsync(work, """{"policy":"roundrobin"}""");
        await using var one = await Worker.ConnectAsync(cluster.Addresses[0], work, "?ack=manual", acks: true);
        await using var other = await Worker.ConnectAsync(cluster.Addresses[1], work, "?ack=manual", acks: true);
        await using var tasks = new SteadyProducer(work, cluster.Addresses);
        await Eventually.TrueAsync(() => one.Count >= 20 && other.Count >= 20, "both nodes get work");
        var stored = await tasks.StopAsync();
        await Eventually.TrueAsync(() => one.Count + other.Count == stored, "all work is done once");

        foreach (var (redis, _) in masters)
        {
            Assert.NotEqual(":0\r\n", await redis.CommandAsync("DBSIZE"));
        }
    }

    private static async Task<(RedisServer Redis, int BusPort)> StartMasterAsync()
    {
        var busPort = RedisServer.FreePort();
        var redis = await RedisServer.StartAsync(
            "--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf", "--cluster-port", busPort.ToString(
                CultureInfo.InvariantCulture));
        return (redis, busPort);
    }

    private static async Task JoinAsync((RedisServer Redis, int BusPort)[] masters)
    {
        for (var i = 0; i < masters.Length; i++)
        {
            var redis = masters[i].Redis;
            var first = i * Slots / masters.Length;
            var last = ((i + 1) * Slots / masters.Length) - 1;
            Assert.StartsWith("+OK", await redis.CommandAsync("CLUSTER", "ADDSLOTSRANGE", $"{first}", $"{last}"), StringComparison.Ordinal);
            Assert.StartsWith(
                "+OK",
                await redis.CommandAsync("CLUSTER", "MEET", "127.0.0.1", $"{masters[0].Redis.Port}", $"{masters[0].BusPort}"),
                StringComparison.Ordinal);
        }

        foreach (var (redis, _) in masters)
        {
            await Eventually.TrueAsync(
                async () => await redis.CommandAsync("CLUSTER", "INFO") is var info
                    && info.Contains("cluster_state:ok", StringComparison.Ordinal)
                    && info.Contains("cluster_known_nodes:3", StringComparison.Ordinal),
                "the masters know each other");
        }
    }
}
