using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Storage.Redis;

/// <summary>Each node shows the consumers and nodes of the whole cluster.</summary>
public sealed class RedisPresenceTests(SharedRedis redis) : IAsyncLifetime
{
    private PushQueueServer _asked = null!;
    private PushQueueServer _other = null!;

    public async ValueTask InitializeAsync()
    {
        var options = await redis.OptionsAsync();
        _asked = await StartAsync(options);
        _other = await StartAsync(options);
    }

    public async ValueTask DisposeAsync()
    {
        await _asked.DisposeAsync();
        await _other.DisposeAsync();
    }

    [Fact]
    public async Task The_overview_counts_the_consumers_of_all_nodes()
    {
        await _asked.PostAsync("/q/test", "a");
        await using var watch = await HubWatchClient.OpenAsync(_asked, "WatchQueues", (object?)null);

        using var near = await ListenAsync(_asked);
        using var far = await ListenAsync(_other);

        var item = await watch.NextAsync(
            item => item.GetProperty("rows").EnumerateArray().Any(row => row.GetProperty("consumers").GetInt32() == 2));
        Assert.Equal(2, item.GetProperty("sums").GetProperty("consumers").GetInt32());
    }

    [Fact]
    public async Task A_watched_queue_lists_the_consumers_of_all_nodes()
    {
        await _asked.PostAsync("/q/test", "a");
        await using var watch = await HubWatchClient.OpenAsync(_asked, "WatchQueue", "test");

        using var near = await ListenAsync(_asked);
        using var far = await ListenAsync(_other);

        var item = await watch.NextAsync(
            item => item.TryGetProperty("listeners", out var all) && all.GetProperty("total").GetInt32() == 2);
        Assert.Equal(2, item.GetProperty("listeners").GetProperty("consumers").GetArrayLength());
        Assert.Equal(2, item.GetProperty("info").GetProperty("consumers").GetInt32());
    }

    [Fact]
    public async Task All_nodes_are_listed_and_watched()
    {
        await UntilTheyKnowEachOtherAsync();
        await using var watch = await HubWatchClient.OpenAsync(_asked, "WatchNodes");
        var nodes = (await watch.NextAsync(item => item.GetProperty("nodes").GetArrayLength() == 2)).GetProperty("nodes");

        Assert.All(nodes.EnumerateArray(), node => Assert.True(node.GetProperty("memoryBytes").GetInt64() > 0));
        Assert.NotEqual(nodes[0].GetProperty("startedAt").GetString(), nodes[1].GetProperty("startedAt").GetString());
    }

    [Fact]
    public async Task Presence_lists_the_consumers_of_all_nodes_and_tells_who_comes_and_leaves_at_another()
    {
        await UntilTheyKnowEachOtherAsync();
        using var near = await ListenAsync(_asked);
        await using var watch = await HubWatchClient.OpenAsync(_asked, "WatchPresence", "test");
        Assert.Equal(1, (await watch.NextAsync()).GetProperty("count").GetInt32());

        var far = await ListenAsync(_other);
        var joined = await watch.NextAsync();
        Assert.Equal(("joined", 2), (joined.GetProperty("event").GetString(), joined.GetProperty("count").GetInt32()));
        Assert.Equal(2, (await _other.GetAsync("/q/test/presence")).Json.GetProperty("consumers").GetArrayLength());
        far.Dispose();

        var left = await watch.NextAsync();
        Assert.Equal(("left", 1), (left.GetProperty("event").GetString(), left.GetProperty("count").GetInt32()));
        Assert.Equal(joined.GetProperty("consumer").GetRawText(), left.GetProperty("consumer").GetRawText());
    }

    [Theory]
    [InlineData(64)]
    [InlineData(505)]
    public async Task A_consumer_that_describes_itself_by_deep_json_is_shown_by_every_node(int depth)
    {
        await UntilTheyKnowEachOtherAsync();
        var who = $"{{\"a\":{new string('[', depth)}{new string(']', depth)}}}";
        using var watch = await _asked.Client.GetAsync("/sse/test/presence", HttpCompletionOption.ResponseHeadersRead).WithTimeout();
        using var events = new StreamLines(await watch.Content.ReadAsStreamAsync());
        Assert.Equal("event: state", await events.ReadLineAsync().WithTimeout());

        using var far = await _other.Client.GetAsync($"/c/test?who={who}", HttpCompletionOption.ResponseHeadersRead).WithTimeout();

        var joined = "";
        while (!joined.Contains("\"joined\"", StringComparison.Ordinal))
        {
            joined = await events.ReadLineAsync().WithTimeout() ?? throw new EndOfStreamException();
        }

        Assert.Contains($"\"who\":{who}", joined, StringComparison.Ordinal);
        foreach (var path in (string[])["/q/test/presence", "/q/test/consumers", "/w"])
        {
            foreach (var node in (PushQueueServer[])[_other, _asked])
            {
                Assert.Contains($"\"who\":{who}", (await node.GetAsync(path)).Text, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public async Task A_tail_at_one_node_shows_what_happens_at_every_node_each_event_once()
    {
        await UntilTheyKnowEachOtherAsync();
        await _asked.PostAsync("/p/test", """{"policy":"roundrobin"}""", "application/json");
        await using var one = await HubWatchClient.OpenAsync(_asked, "Tail", "test");
        _ = await one.NextAsync();

        await _asked.PostAsync("/q/test?id=near", "a");
        await _other.PostAsync("/q/test?id=far", "b");
        await _other.GetAsync("/q/test?ttr=30");
        var leased = await _asked.GetAsync("/q/test?ttr=30");
        await _asked.PostAsync($"/q/test/messages/far/ack?receipt={leased.Headers["PushQueue-Receipt"]}");

        string[] expected = ["done far", "given far", "given near", "put far", "put near"];
        Assert.Equal(expected, await EventsAsync(one, expected.Length));
    }

    private async Task UntilTheyKnowEachOtherAsync()
    {
        foreach (var node in new[] { _asked, _other })
        {
            await Eventually.TrueAsync(
                async () => (await node.GetAsync("/nodes")).Json.GetProperty("nodes").GetArrayLength() == 2, "both are listed");
        }
    }

    /// <summary>So many events, each with its message, in alphabetical order: nodes do not agree on another one.</summary>
    private static async Task<string[]> EventsAsync(HubWatchClient tail, int count)
    {
        var events = new List<string>();
        while (events.Count < count)
        {
            events.AddRange((await tail.NextAsync()).GetProperty("events").EnumerateArray()
                .Select(happened => $"{happened.GetProperty("event").GetString()} {happened.GetProperty("id").GetString()}"));
        }

        return [.. events.Order(StringComparer.Ordinal)];
    }

    private static Task<PushQueueServer> StartAsync(PushQueue.Storage.Redis.RedisStoreOptions redis) =>
        PushQueueServer.StartAsync(options =>
    {
        options.Storage.Redis = redis.Configuration;
        options.Storage.RedisKeyPrefix = redis.KeyPrefix;
    });

    private static Task<HttpResponseMessage> ListenAsync(PushQueueServer server) =>
        server.Client.GetAsync("/c/test?ack=manual", HttpCompletionOption.ResponseHeadersRead).WithTimeout();
}
