using System.Net;
using System.Text;
using System.Text.Json;
using PushQueue.SystemTests.Support;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.SystemTests.Cluster;

/// <summary>Roundrobin, leases, receipts and waits over nodes that are processes of their own.</summary>
public sealed class ClusterRoundRobinTests
{
    private const string Queue = "work";

    [Theory]
    [InlineData("", false)]
    [InlineData("?ack=manual", true)]
    public async Task Each_message_goes_to_one_consumer_and_the_load_spreads_over_the_nodes(string options, bool acks)
    {
        const int Messages = 10_000;
        await using var cluster = await ClusterFixture.StartAsync();
        await cluster.SetAsync(Queue, """{"policy":"roundrobin"}""");
        await using var a = await Worker.ConnectAsync(cluster.Addresses[0], Queue, options, acks);
        await using var b = await Worker.ConnectAsync(cluster.Addresses[0], Queue, options, acks);
        await using var c = await Worker.ConnectAsync(cluster.Addresses[1], Queue, options, acks);
        await using var d = await Worker.ConnectAsync(cluster.Addresses[1], Queue, options, acks);
        Worker[] workers = [a, b, c, d];

        // One node gets all the puts: half of them in large portions, half of them one at a time.
        for (var portion = 0; portion < 10; portion++)
        {
            await PutManyAsync(cluster.Nodes[0], portion * 500, 500);
        }

        await Task.WhenAll(Enumerable.Range(0, 4).Select(part => PutOneByOneAsync(cluster.Nodes[0], 5000 + (part * 1250), 1250)));

        await Eventually.TrueAsync(() => workers.Sum(worker => worker.Count) >= Messages, "all messages came");
        var ids = workers.SelectMany(worker => worker.Messages).Select(message => message.GetProperty("id").GetString()).ToList();
        Assert.Equal(Messages, ids.Distinct().Count());
        Assert.Equal(Messages, ids.Count);
        Assert.All(workers, worker => Assert.InRange(worker.Count, Messages / 5, Messages * 3 / 10));
        await Eventually.TrueAsync(async () => (await InfoAsync(cluster.Nodes[1])).GetProperty("leased").GetInt64() == 0, "all is acked");
    }

    [Fact]
    public async Task A_lease_taken_at_one_node_is_acked_at_another_and_everybody_knows()
    {
        await using var cluster = await ClusterFixture.StartAsync();
        var (one, other) = (cluster.Nodes[0].Client, cluster.Nodes[1].Client);
        var waiting = one.PostAsync($"/q/{Queue}?id=a%2Fb&waitForAck=30", new StringContent("x"));
        using var leased = await other.GetAsync($"/q/{Queue}?ttr=60&wait=30");
        var receipt = leased.Headers.GetValues("PushQueue-Receipt").Single();
        Assert.Equal("leased", (await JsonAsync(one, $"/q/{Queue}/messages/a%2Fb")).GetProperty("state").GetString());

        using var acked = await one.PostAsync($"/q/{Queue}/messages/a%2Fb/ack?receipt={receipt}", null);
        using var again = await other.PostAsync($"/q/{Queue}/messages/a%2Fb/ack?receipt={receipt}", null);

        Assert.Equal(HttpStatusCode.NoContent, acked.StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, again.StatusCode);
        using var put = await waiting;
        Assert.Equal(HttpStatusCode.OK, put.StatusCode);
        Assert.Contains("\"acked\":true", await put.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_put_waits_for_an_ack_that_is_given_at_another_node()
    {
        await using var cluster = await ClusterFixture.StartAsync();
        await cluster.SetAsync(Queue, """{"policy":"roundrobin"}""");
        await using var worker = await Worker.ConnectAsync(cluster.Addresses[1], Queue, "?ack=manual&worker=w1", acks: true);

        using var put = await cluster.Nodes[0].Client.PostAsync($"/q/{Queue}?waitForAck=30", new StringContent("x"));

        Assert.Equal(HttpStatusCode.OK, put.StatusCode);
        Assert.Contains("\"worker\":\"w1\"", await put.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_message_acked_elsewhere_gives_its_consumer_room_for_the_next()
    {
        await using var cluster = await ClusterFixture.StartAsync();
        await cluster.SetAsync(Queue, """{"policy":"roundrobin"}""");
        await using var worker = await Worker.ConnectAsync(cluster.Addresses[0], Queue, "?ack=manual&prefetch=1");
        await PutManyAsync(cluster.Nodes[0], 0, 2);
        var first = await worker.GotAsync("0");

        using var acked = await AckAsync(cluster.Nodes[1], first);

        Assert.Equal(HttpStatusCode.NoContent, acked.StatusCode);
        await worker.GotAsync("1");
    }

    [Fact]
    public async Task What_a_killed_node_had_leased_for_its_streams_goes_to_the_consumers_of_another()
    {
        await using var cluster = await ClusterFixture.StartAsync();
        await cluster.SetAsync(Queue, """{"policy":"roundrobin"}""");
        await using var doomed = await Worker.ConnectAsync(cluster.Addresses[0], Queue, "?ack=manual&prefetch=10&ttr=1h");
        await PutManyAsync(cluster.Nodes[1], 0, 10);
        await Eventually.TrueAsync(() => doomed.Count == 10, "the doomed one holds them");
        await using var heir = await Worker.ConnectAsync(cluster.Addresses[1], Queue, "?ack=manual", acks: true);

        await cluster.Nodes[0].KillAsync();

        await Eventually.TrueAsync(() => heir.Count == 10, "the other one got them");
        Assert.All(heir.Messages, message => Assert.Equal(1, message.GetProperty("attempt").GetInt32()));
    }

    [Fact]
    public async Task A_node_that_slept_past_its_leases_is_told_that_they_are_lost()
    {
        await using var cluster = await ClusterFixture.StartAsync();
        await cluster.SetAsync(Queue, """{"policy":"roundrobin"}""");
        await using var sleeper = await Worker.ConnectAsync(cluster.Addresses[0], Queue, "?ack=manual&prefetch=1");
        await PutManyAsync(cluster.Nodes[1], 0, 1);
        var held = await sleeper.GotAsync("0");
        await using var heir = await Worker.ConnectAsync(cluster.Addresses[1], Queue, "?ack=manual&prefetch=1");

        cluster.Nodes[0].Signal(Stop);
        var taken = await heir.GotAsync("0");
        cluster.Nodes[0].Signal(Continue);

        using var late = await AckAsync(cluster.Nodes[0], held);
        Assert.Equal(HttpStatusCode.Conflict, late.StatusCode);
        Assert.Contains("lease-lost", await late.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        using var done = await AckAsync(cluster.Nodes[0], taken);
        Assert.Equal(HttpStatusCode.NoContent, done.StatusCode);

        // The consumer that was passed over has room again.
        await PutManyAsync(cluster.Nodes[1], 1, 2);
        await Eventually.TrueAsync(() => sleeper.Count == 2 && heir.Count == 2, "both got one more");
    }

    private const int Stop = 19;
    private const int Continue = 18;

    private static async Task PutManyAsync(ServerProcess node, int first, int count)
    {
        var lines = string.Join('\n', Enumerable.Range(first, count).Select(number => $"\"{number}\""));
        using var answer = await node.Client.PostAsync(
            $"/q/{Queue}/batch",
            new StringContent(lines, Encoding.UTF8, "application/x-ndjson"));
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
    }

    private static async Task PutOneByOneAsync(ServerProcess node, int first, int count)
    {
        for (var number = first; number < first + count; number++)
        {
            using var answer = await node.Client.PostAsync($"/q/{Queue}", new StringContent($"{number}"));
            Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        }
    }

    private static Task<HttpResponseMessage> AckAsync(ServerProcess node, JsonElement message) =>
        node.Client.PostAsync($"/q/{Queue}/messages/{message.GetProperty("id")}/ack?receipt={message.GetProperty("receipt")}", null);

    private static Task<JsonElement> InfoAsync(ServerProcess node) => JsonAsync(node.Client, $"/j/{Queue}");

    private static async Task<JsonElement> JsonAsync(HttpClient client, string path) =>
        JsonDocument.Parse(await client.GetStringAsync(path)).RootElement;
}
