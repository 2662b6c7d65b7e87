using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.DependencyInjection;
using PushQueue.Diagnostics;
using PushQueue.Tests.Support;
using PushQueue.Transports;
using PushQueue.Transports.SignalR;
using Xunit;

namespace PushQueue.Tests.Transports.SignalR;

/// <summary>Watching is bounded: in number, and in how often the queues are looked at.</summary>
public sealed class WatchLimitTests
{
    [Fact]
    public async Task One_watcher_too_many_is_refused_and_a_place_that_is_left_is_free_again()
    {
        await using var server = await PushQueueServer.StartAsync(static options => options.Diagnostics.WatchersMax = 20);
        using var hits = new LimitCounts(server);
        var caller = server.Services.GetRequiredService<ConnectionCallers>().Of(null);
        var watch = server.Services.GetRequiredService<HubWatch>();
        var streams = Enumerable.Range(0, 20)
            .Select(_ => watch.WatchNodes(caller, CancellationToken.None).GetAsyncEnumerator()).ToArray();
        foreach (var stream in streams)
        {
            Assert.True(await stream.MoveNextAsync().WithTimeout());
        }

        var e = await Assert.ThrowsAsync<HubException>(
            () => watch.WatchNodes(caller, CancellationToken.None).GetAsyncEnumerator().MoveNextAsync().WithTimeout());
        Assert.Contains("too-many-waiting", e.Message, StringComparison.Ordinal);
        Assert.Equal(1, hits["watchers"]);

        foreach (var stream in streams)
        {
            await stream.DisposeAsync().WithTimeout();
        }

        Assert.Equal(0, server.Services.GetRequiredService<WatcherPlaces>().Count);
    }

    [Fact]
    public async Task All_watchers_share_one_look_which_is_at_most_a_second_old()
    {
        var time = new TestTimeProvider();
        await using var server = await PushQueueServer.StartAsync(time: time);
        var boards = server.Services.GetRequiredService<QueueBoards>();
        var first = await boards.LatestAsync(CancellationToken.None).WithTimeout();

        time.Advance(TimeSpan.FromMilliseconds(500));
        Assert.Same(first, await boards.LatestAsync(CancellationToken.None).WithTimeout());

        time.Advance(TimeSpan.FromMilliseconds(500));
        Assert.NotSame(first, await boards.LatestAsync(CancellationToken.None).WithTimeout());
    }
}
