using System.Text;
using PushQueue.SystemTests.History.Judging;
using PushQueue.SystemTests.History.Links;
using PushQueue.SystemTests.History.Workers;
using Xunit;

namespace PushQueue.SystemTests.History;

/// <summary>An offset is never given to two messages, whatever is killed or lost between a delivery and the disk.</summary>
public sealed class OffsetReuseTests
{
    private const int Rounds = 8;
    private const string Queue = "news";

    private readonly HistoryRecord _record = new();
    private readonly CancellationTokenSource _end = new();
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(30) };

    [Theory]
    [InlineData("synced")]
    [InlineData("interval:50ms")]
    public async Task Kills_amid_deliveries_never_give_an_offset_to_two_messages(string durability)
    {
        await using var server = await OwnServer.StartAsync("--durability", durability);
        var random = new Random(7);

        var left = await RunAsync(server, async (proxy, following) =>
        {
            for (var round = 0; round < Rounds; round++)
            {
                // So many more deliveries, not so long: the kill then comes amid them on a machine of any speed.
                await MoreArrivedAsync(random.Next(5, 100), following);
                await server.EndAndStartAsync(kill: true, () => _record.Add(new Killed()));
                proxy.PointTo(server.Addresses[0]);
            }
        });

        Assert.Empty(Judge());
        Assert.Equal(left.NextOffset - 1, _record.Events().OfType<Arrived>().Select(arrived => arrived.Offset).Distinct().Count());
    }

    [Fact]
    public async Task A_wiped_folder_begins_a_new_epoch_and_tells_those_who_resume()
    {
        await using var server = await OwnServer.StartAsync();

        await RunAsync(server, async (proxy, following) =>
        {
            while (_record.Events().OfType<Arrived>().Select(arrived => arrived.Consumer).Distinct().Count() < 3)
            {
                await MoreArrivedAsync(1, following);
            }

            await server.WipeAsync(() => _record.Add(new Wiped()));
            proxy.PointTo(server.Addresses[0]);
            await MoreArrivedAsync(50, following);
        });

        Assert.Empty(Judge());
        var history = _record.Events();
        Assert.Equal(3, history.OfType<GapTold>().Count(gap => gap.Cause == "reset"));
        Assert.Equal(2, history.OfType<Arrived>().Select(arrived => arrived.Epoch).Distinct().Count());
        Assert.True(
            history.OfType<Arrived>()
                .Select(arrived => arrived.Offset)
                .Distinct()
                .Count() < history.OfType<Arrived>()
                .Select(arrived => arrived.Key)
                .Distinct()
                .Count());
    }

    private IReadOnlyList<Finding> Judge() =>
        Verdict.Judge(_record.Events(), new Dictionary<string, Promise>(StringComparer.Ordinal) { [Queue] = Promise.Broadcast });

    /// <summary>Puts all the while and follows in three ways; ends when all followers have seen what there is.</summary>
    private async Task<FoundLeft> RunAsync(OwnServer server, Func<CuttingProxy, Task, Task> disturbAsync)
    {
        await using var proxy = new CuttingProxy(server.Addresses[0]);
        var scene = new Scene([proxy.Address], [proxy.Address], _record, _http, _end.Token);
        Func<Uri, StreamLink>[] links =
        [
            address =>
                new HttpLink(address, _http, events: true), address =>
                    new SocketLink(address, _http), address => new HubLink(address, _http),
        ];
        var followers = links.Select((link, i) => new BroadcastConsumer(scene, $"follower{i}", Queue, link, "", new Random(i))).ToList();

        // A put that got no answer is repeated under its id, also when its message has been broadcast.
        using var settings = new StringContent("""{"dedupWindow":"2h"}""", Encoding.UTF8, "application/json");
        using var set = await _http.PatchAsync(new Uri(server.Addresses[0], $"/q/{Queue}/settings"), settings);
        set.EnsureSuccessStatusCode();
        var producing = Task.WhenAll(new[] { PutWay.Rest, PutWay.Batch, PutWay.Socket }.Select((way, i) =>
            new Producer(scene, $"p{i}", way, Queue, 50, 5, mayDelay: false, new Random(i + 10)).RunAsync()));
        var following = Task.WhenAll(followers.Select(follower => follower.RunAsync()));
        await disturbAsync(proxy, following);
        scene.Producing = false;
        await producing.WaitAsync(TimeSpan.FromSeconds(60));

        var left = await LeftAsync(scene, server);
        // Ready messages have no offset yet: followers that have seen all offsets there are may still be connecting again.
        for (var tries = 0; tries < 600 && (left.Ready > 0 || followers.Exists(follower => follower.Last != left.NextOffset - 1)); tries++)
        {
            await scene.PauseAsync(50);
            left = await LeftAsync(scene, server);
        }

        await _end.CancelAsync();
        await following.WaitAsync(TimeSpan.FromSeconds(60));
        _record.Add(left);
        return left;
    }

    private static async Task<FoundLeft> LeftAsync(Scene scene, OwnServer server)
    {
        var info = await scene.GetAsync(
            server.Addresses[0],
            $"/j/{Queue}") ?? throw new InvalidOperationException("The server says nothing.");
        return new FoundLeft(
            Queue,
            info.GetProperty("ready").GetInt64(),
            info.GetProperty("delayed").GetInt64(),
            info.GetProperty("leased").GetInt64(),
            info.GetProperty("epoch").GetString()!,
            info.GetProperty("nextOffset").GetInt64());
    }

    private async Task MoreArrivedAsync(int count, Task following)
    {
        var wanted = Arrivals() + count;
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (Arrivals() < wanted)
        {
            Assert.False(following.IsCompleted, "The followers ended.");
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, patience.Token);
        }
    }

    private int Arrivals() => _record.Events().Count(happened => happened is Arrived);
}
