using System.Net;
using System.Text;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.SystemTests.Cluster;

/// <summary>
/// Redis, or the way to it, breaks: what was acknowledged stays, nobody misses a broadcast unless told, all goes on by itself.
/// </summary>
public sealed class RedisFailureTests
{
    private const string Queue = "news";

    [Fact]
    public async Task Redis_killed_and_started_again_loses_nothing()
    {
        await using var cluster = await ClusterFixture.StartAsync();
        await cluster.SetAsync(Queue, """{"dedupWindow":"10m"}""");
        await using var first = await EventStream.OpenAsync(Queue, null, cluster.Addresses[0]);
        await using var second = await EventStream.OpenAsync(Queue, null, cluster.Addresses[1]);
        await using var producer = new SteadyProducer(Queue, cluster.Addresses);

        for (var round = 0; round < 3; round++)
        {
            await GoesOnAsync(cluster, first, producer, 100);
            await cluster.Redis.KillAsync();
            await cluster.Redis.StartAgainAsync();
        }

        await GoesOnAsync(cluster, first, producer, 100);
        var stored = await producer.StopAsync();
        await StreamCheck.GotAllAsync(first, stored);
        await StreamCheck.GotAllAsync(second, stored);
        Assert.Equal((1, 1), (first.Connections, second.Connections));
    }

    [Fact]
    public async Task Redis_frozen_for_ten_seconds_delays_and_loses_nothing()
    {
        await using var cluster = await ClusterFixture.StartAsync();
        await cluster.SetAsync(Queue, """{"dedupWindow":"10m"}""");
        await using var first = await EventStream.OpenAsync(Queue, null, cluster.Addresses[0]);
        await using var second = await EventStream.OpenAsync(Queue, null, cluster.Addresses[1]);
        await using var producer = new SteadyProducer(Queue, cluster.Addresses);
        await first.GotAsync(100);

        cluster.Redis.Freeze();
        await Task.Delay(TimeSpan.FromSeconds(10), TimeProvider.System);
        cluster.Redis.Thaw();

        await GoesOnAsync(cluster, first, producer, 100);
        var stored = await producer.StopAsync();
        await StreamCheck.GotAllAsync(first, stored);
        await StreamCheck.GotAllAsync(second, stored);
    }

    [Fact]
    public async Task Connections_to_redis_that_are_cut_again_and_again_cost_time_and_nothing_else()
    {
        var redis = await RedisServer.StartAsync("--appendonly", "yes", "--appendfsync", "always");
        await using var proxy = new TcpProxy(redis.Port);
        await using var cluster = await ClusterFixture.StartAsync(redis, proxy.Address);
        await cluster.SetAsync(Queue, """{"dedupWindow":"10m"}""");
        await using var first = await EventStream.OpenAsync(Queue, null, cluster.Addresses[0]);
        await using var second = await EventStream.OpenAsync(Queue, null, cluster.Addresses[1]);
        await using var producer = new SteadyProducer(Queue, cluster.Addresses);

        for (var round = 0; round < 10; round++)
        {
            await GoesOnAsync(cluster, first, producer, 30);
            proxy.Cut();
        }

        await GoesOnAsync(cluster, first, producer, 30);
        var stored = await producer.StopAsync();
        await StreamCheck.GotAllAsync(first, stored);
        await StreamCheck.GotAllAsync(second, stored);
    }

    [Fact]
    public async Task Under_roundrobin_connections_that_are_cut_while_a_queue_drains_strand_nothing()
    {
        var redis = await RedisServer.StartAsync("--appendonly", "yes", "--appendfsync", "no");
        await using var proxy = new TcpProxy(redis.Port);
        await using var cluster = await ClusterFixture.StartAsync(redis, proxy.Address);
        await DrainsAsync(cluster, () =>
        {
            proxy.Cut();
            return Task.CompletedTask;
        });
    }

    [Fact]
    public async Task Under_roundrobin_a_redis_that_freezes_while_a_queue_drains_strands_nothing()
    {
        await using var cluster = await ClusterFixture.StartAsync();
        await DrainsAsync(cluster, async () =>
        {
            cluster.Redis.Freeze();
            await Eventually.TrueAsync(
                async () =>
                    await StatusAsync(cluster.Nodes[0].Client, "/readyz") == HttpStatusCode.ServiceUnavailable, "the node has given up");
            cluster.Redis.Thaw();
        });
    }

    [Fact]
    public async Task A_node_that_cannot_reach_redis_keeps_its_streams_says_so_and_recovers_by_itself()
    {
        var redis = await RedisServer.StartAsync("--appendonly", "yes", "--appendfsync", "always");
        await using var proxy = new TcpProxy(redis.Port);
        await using var cluster = await ClusterFixture.StartAsync(redis, redis.Address, nodes: 1);
        var cutOff = await cluster.AddNodeAsync(proxy.Address);
        await using var stream = await EventStream.OpenAsync(Queue, null, cutOff.Address);
        await PutAsync(cluster.Nodes[0].Client, "1");
        await stream.GotAsync("1");

        proxy.Refuse();
        await Eventually.TrueAsync(
            async () => await StatusAsync(cutOff.Client, "/readyz") == HttpStatusCode.ServiceUnavailable,
            "it says that it is not ready");
        using (var refused = await cutOff.Client.PostAsync($"/q/{Queue}", new StringContent("2")))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
            Assert.NotNull(refused.Headers.RetryAfter);
        }

        Assert.Equal(HttpStatusCode.OK, await StatusAsync(cutOff.Client, "/healthz"));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(cluster.Nodes[0].Client, "/readyz"));
        await using var other = await EventStream.OpenAsync(Queue, null, cluster.Addresses[0]);
        await PutAsync(cluster.Nodes[0].Client, "3");
        await other.GotAsync("3");

        proxy.Accept();
        await stream.GotAsync("3");
        await Eventually.TrueAsync(async () => await StatusAsync(cutOff.Client, "/readyz") == HttpStatusCode.OK, "it is ready again");
        await PutAsync(cutOff.Client, "4");
        await stream.GotAsync("4");
        Assert.Equal(["1", "3", "4"], stream.Bodies);
        Assert.Equal(1, stream.Connections);
    }

    [Fact]
    public async Task A_replica_that_takes_over_may_lack_the_last_moments_and_the_streams_are_told()
    {
        await using var replica = await RedisServer.StartAsync("--appendonly", "yes", "--appendfsync", "always");
        var redis = await RedisServer.StartAsync("--appendonly", "yes", "--appendfsync", "always");
        Assert.StartsWith("+OK", await replica.CommandAsync("REPLICAOF", "127.0.0.1", $"{redis.Port}"), StringComparison.Ordinal);
        await Eventually.TrueAsync(
            async () =>
                (
                    await replica.CommandAsync(
                        "INFO",
                        "replication")).Contains("master_link_status:up", StringComparison.Ordinal), "the replica follows");
        await using var cluster = await ClusterFixture.StartAsync(redis, $"{redis.Address},{replica.Address}");
        await cluster.SetAsync(Queue, """{"dedupWindow":"10m"}""");
        await using var first = await EventStream.OpenAsync(Queue, null, cluster.Addresses[0]);
        await using var second = await EventStream.OpenAsync(Queue, null, cluster.Addresses[1]);
        await PutAsync(cluster.Nodes[0].Client, "1");
        await first.GotAsync("1");
        await second.GotAsync("1");
        await Eventually.TrueAsync(
            async () => await OffsetAsync(redis, "master_repl_offset") == await OffsetAsync(replica, "slave_repl_offset"),
            "the replica has it all");

        await redis.KillAsync();
        Assert.StartsWith("+OK", await replica.CommandAsync("REPLICAOF", "NO", "ONE"), StringComparison.Ordinal);

        await Eventually.TrueAsync(async () => await TryPutAsync(cluster.Nodes[1].Client, "2"), "puts are taken again");
        await first.GotAsync("2");
        await second.GotAsync("2");
        Assert.Equal(["1", "2"], first.Bodies.Distinct());
        Assert.Equal(["1", "2"], second.Bodies.Distinct());
    }

    /// <summary>
    /// A full queue is given out to one consumer, amid which something happens a few times: all of it comes, and nothing stays leased.
    /// </summary>
    private static async Task DrainsAsync(ClusterFixture cluster, Func<Task> happensAsync)
    {
        const int Messages = 20_000;
        const int Times = 5;
        await cluster.SetAsync(Queue, """{"policy":"roundrobin"}""");
        for (var first = 1; first <= Messages; first += 1000)
        {
            var lines = string.Join('\n', Enumerable.Range(first, 1000).Select(static number => $"\"{number}\""));
            using var answer = await cluster.Nodes[0].Client.PostAsync(
                $"/q/{Queue}/batch",
                new StringContent(lines, Encoding.UTF8, "application/x-ndjson"));
            Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        }

        await using var stream = await EventStream.OpenAsync(Queue, null, cluster.Addresses[0]);
        for (var time = 1; time <= Times; time++)
        {
            await stream.GotAsync(time * Messages / (Times + 2));
            await happensAsync();
        }

        await Eventually.TrueAsync(() => stream.Bodies.Distinct().Count() == Messages, "all messages came");
        await Eventually.TrueAsync(
            async () => await StatusAsync(cluster.Nodes[0].Client, "/readyz") == HttpStatusCode.OK,
            "the node is back");
        await Eventually.TrueAsync(
            async () =>
            {
                var info = await cluster.Nodes[0].Client.GetStringAsync($"/j/{Queue}");
                return info.Contains("\"leased\":0,", StringComparison.Ordinal);
            },
            "nothing stays leased");
    }

    /// <summary>So many more messages come; where they do not, says how far everybody is.</summary>
    private static async Task GoesOnAsync(ClusterFixture cluster, EventStream stream, SteadyProducer producer, int messages)
    {
        var (stored, got) = (producer.Stored, stream.Bodies.Count);
        try
        {
            await stream.GotAsync(got + messages);
        }
        catch (TimeoutException e)
        {
            var nodes = await Task.WhenAll(
                cluster.Nodes.Select(
                    async node => $"{await StatusAsync(node.Client, "/readyz")} {await node.Client.GetStringAsync($"/j/{Queue}")}"));
            throw new InvalidOperationException(
                $"Stored {stored}, then {producer.Stored}; got {got}, then {stream.Bodies.Count}. The nodes say: {string.Join("; ", nodes)}", e);
        }
    }

    private static async Task<string> OffsetAsync(RedisServer redis, string field) =>
        (await redis.CommandAsync("INFO", "replication"))
            .Split('\n')
            .Single(line => line.StartsWith($"{field}:", StringComparison.Ordinal))
            .Split(':')[1]
            .Trim();

    private static async Task PutAsync(HttpClient client, string body)
    {
        using var answer = await client.PostAsync($"/q/{Queue}?id=m{body}", new StringContent(body));
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
    }

    private static async Task<bool> TryPutAsync(HttpClient client, string body)
    {
        using var answer = await client.PostAsync($"/q/{Queue}?id=m{body}", new StringContent(body));
        return answer.StatusCode is HttpStatusCode.Created or HttpStatusCode.OK;
    }

    private static async Task<HttpStatusCode> StatusAsync(HttpClient client, string path)
    {
        using var answer = await client.GetAsync(path);
        return answer.StatusCode;
    }
}
