using System.Net;
using System.Text.Json;
using PushQueue.SystemTests.Support;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.SystemTests.Cluster;

/// <summary>Whichever node is asked tells of all.</summary>
public sealed class PresenceTests
{
    private const string Queue = "work";

    [Fact]
    public async Task Consumers_workers_and_nodes_of_the_whole_cluster_are_told_by_any_node()
    {
        await using var cluster = await ClusterFixture.StartAsync(nodes: 3);
        await cluster.SetAsync(Queue, """{"policy":"roundrobin"}""");
        await using var one = await Worker.ConnectAsync(cluster.Addresses[0], Queue, "?ack=manual&worker=w1", acks: true);
        await using var two = await Worker.ConnectAsync(cluster.Addresses[1], Queue, "?ack=manual&worker=w1", acks: true);
        for (var i = 0; i < 10; i++)
        {
            using var put = await cluster.Nodes[2].Client.PostAsync($"/q/{Queue}", new StringContent($"{i}"));
        }

        foreach (var node in cluster.Nodes)
        {
            await Eventually.TrueAsync(
                async () => (await JsonAsync(node, $"/j/{Queue}")).GetProperty("consumers").GetInt32() == 2,
                "both are counted");

            // A node that is busy may answer the others' question too late; the next one is another.
            await Eventually.TrueAsync(
                async () =>
                    (await ConsumersAsync(node))
                        .Select(consumer => consumer.GetProperty("id").GetInt64())
                        .Distinct()
                        .Count() == 2, "both are listed");
            await Eventually.TrueAsync(
                async () => (await JsonAsync(node, "/stats")).GetProperty("otherNodes").GetArrayLength() == 2,
                "all nodes are listed");
            await Eventually.TrueAsync(async () => await ProcessedAsync(node) == 10, "each ack is counted once");
        }
    }

    [Fact]
    public async Task A_consumer_is_disconnected_through_any_node()
    {
        await using var cluster = await ClusterFixture.StartAsync();
        await using var far = await Worker.ConnectAsync(cluster.Addresses[0], Queue);
        await Eventually.TrueAsync(async () => (await ConsumersAsync(cluster.Nodes[1])).Count == 1, "it is known");
        var id = (await ConsumersAsync(cluster.Nodes[1]))[0].GetProperty("id").GetInt64();

        using var gone = await cluster.Nodes[1].Client.DeleteAsync($"/q/{Queue}/consumers/{id}");
        await Eventually.TrueAsync(async () => (await ConsumersAsync(cluster.Nodes[1])).Count == 0, "it is gone");
        using var again = await cluster.Nodes[1].Client.DeleteAsync($"/q/{Queue}/consumers/{id}");

        Assert.Equal(HttpStatusCode.NoContent, gone.StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, again.StatusCode);
    }

    private static async Task<List<JsonElement>> ConsumersAsync(ServerProcess node) =>
        [.. (await JsonAsync(node, $"/q/{Queue}/consumers")).GetProperty("consumers").EnumerateArray()];

    private static async Task<long> ProcessedAsync(ServerProcess node) =>
        (await JsonAsync(node, "/w")).GetProperty("workers").EnumerateArray().Sum(worker => worker.GetProperty("processed").GetInt64());

    private static async Task<JsonElement> JsonAsync(ServerProcess node, string path) =>
        JsonDocument.Parse(await node.Client.GetStringAsync(path)).RootElement;
}
