using System.Net;
using Microsoft.Extensions.DependencyInjection;
using PushQueue.Delivery;
using PushQueue.Delivery.Encoding;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Delivery;

public sealed class NodeDrainTests
{
    private const int Streams = 12;

    [Fact]
    public async Task A_node_that_leaves_is_not_ready_serves_on_and_closes_its_streams_in_slices()
    {
        var time = new TestTimeProvider();
        await using var server = await PushQueueServer.StartAsync(time: time);
        var registry = server.Services.GetRequiredService<ConsumerRegistry>();
        var streams = new List<HttpResponseMessage>();
        for (var i = 0; i < Streams; i++)
        {
            streams.Add(await server.Client.GetAsync("/c/test", HttpCompletionOption.ResponseHeadersRead).WithTimeout());
        }

        var drained = server.Services.GetRequiredService<NodeDrain>().RunAsync(TimeSpan.FromSeconds(15), CancellationToken.None);

        Assert.Equal(503, (await server.GetAsync("/readyz")).Status);
        var put = await server.PostAsync("/q/other");
        Assert.Equal((201, "close"), (put.Status, put.Headers["Connection"]));
        using (var late = await server.Client.GetAsync("/c/test", HttpCompletionOption.ResponseHeadersRead).WithTimeout())
        {
            Assert.Equal(HttpStatusCode.OK, late.StatusCode);
        }

        await Eventually.TrueAsync(() => registry.Connections == Streams, "the late stream is gone");
        time.Advance(TimeSpan.FromSeconds(6));
        await Eventually.TrueAsync(() => registry.Connections == Streams - (Streams / 6), "the first slice is closed");
        Assert.Equal(503, (await server.GetAsync("/c/test")).Status);
        Assert.Equal(201, (await server.PostAsync("/q/other")).Status);

        await Eventually.TrueAsync(
            () =>
            {
                time.Advance(TimeSpan.FromMilliseconds(50));
                return registry.Connections == 0;
            },
            "all streams are closed");
        Assert.False(drained.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(6));
        await drained.WithTimeout();
        streams.ForEach(static stream => stream.Dispose());
    }

    [Fact]
    public async Task A_drain_ends_at_once_where_it_is_told_to()
    {
        await using var server = await PushQueueServer.StartAsync(time: new TestTimeProvider());
        using var stop = new CancellationTokenSource();
        var drained = server.Services.GetRequiredService<NodeDrain>().RunAsync(TimeSpan.FromMinutes(1), stop.Token);

        await stop.CancelAsync();

        await drained.WithTimeout();
    }

    [Theory]
    [InlineData(1, 3000)]
    [InlineData(3000, 3000)]
    [InlineData(20_000, 20_000)]
    [InlineData(10_000_000, 60_000)]
    public void The_more_connections_are_closed_together_the_longer_their_reconnects_are_spread(int connections, int longest)
    {
        var reason = CloseReason.ServerShutdown.ForMany(connections);

        var waits = Enumerable.Range(0, 2000).Select(_ => reason.NextReconnectMs()).ToList();

        Assert.All(waits, wait => Assert.InRange(wait, 500, longest));
        Assert.True(waits.Max() > longest * 9 / 10);
    }
}
