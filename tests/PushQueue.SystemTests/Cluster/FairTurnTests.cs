using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.SystemTests.Cluster;

/// <summary>Whose turn it is, where nodes are uneven.</summary>
public sealed class FairTurnTests
{
    private const string Queue = "work";

    [Fact]
    public async Task A_node_with_three_consumers_gets_three_times_as_much_as_one_with_one()
    {
        await using var cluster = await ClusterFixture.StartAsync();
        await cluster.SetAsync(Queue, """{"policy":"roundrobin"}""");
        await using var a = await Worker.ConnectAsync(cluster.Addresses[0], Queue);
        await using var b = await Worker.ConnectAsync(cluster.Addresses[1], Queue);
        await using var c = await Worker.ConnectAsync(cluster.Addresses[1], Queue);
        await using var d = await Worker.ConnectAsync(cluster.Addresses[1], Queue);
        Worker[] workers = [a, b, c, d];

        await using var producer = new SteadyProducer(Queue, cluster.Addresses[0]);
        await Eventually.TrueAsync(() => workers.Sum(worker => worker.Count) >= 400, "400 messages came");
        var stored = await producer.StopAsync();

        await Eventually.TrueAsync(() => workers.Sum(worker => worker.Count) == stored, "all messages came");
        Assert.All(workers, worker => Assert.InRange(worker.Count, stored / 5, stored * 3 / 10));
    }

    [Fact]
    public async Task A_node_whose_consumers_have_no_room_does_not_keep_the_others_waiting_for_its_turn()
    {
        await using var cluster = await ClusterFixture.StartAsync();
        await cluster.SetAsync(Queue, """{"policy":"roundrobin"}""");
        await using var full = await Worker.ConnectAsync(cluster.Addresses[0], Queue, "?ack=manual&prefetch=2");
        await using var free = await Worker.ConnectAsync(cluster.Addresses[1], Queue, "?ack=manual", acks: true);

        await using var producer = new SteadyProducer(Queue, cluster.Addresses[0]);
        await Eventually.TrueAsync(() => free.Count >= 300, "the free one gets on");
        var stored = await producer.StopAsync();

        await Eventually.TrueAsync(() => free.Count + full.Count == stored, "all messages came");
        Assert.Equal(2, full.Count);
    }

    [Fact]
    public async Task A_node_that_is_killed_loses_its_turn()
    {
        await using var cluster = await ClusterFixture.StartAsync();
        await cluster.SetAsync(Queue, """{"policy":"roundrobin"}""");
        await using var doomed = await Worker.ConnectAsync(cluster.Addresses[0], Queue);
        await using var heir = await Worker.ConnectAsync(cluster.Addresses[1], Queue);
        await using var producer = new SteadyProducer(Queue, cluster.Addresses[1]);
        await Eventually.TrueAsync(() => doomed.Count >= 50, "both get their share");

        await cluster.Nodes[0].KillAsync();

        var before = heir.Count;
        await Eventually.TrueAsync(() => heir.Count >= before + 100, "the other one goes on alone");
    }
}
