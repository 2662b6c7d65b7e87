using System.Net.WebSockets;
using PushQueue.Tests.Storage.Redis;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Transports;

/// <summary>A client that connects again ends its former stream, which may have broken without a word.</summary>
public sealed class InstanceTests(SharedRedis redis) : IAsyncLifetime
{
    private PushQueueServer _server = null!;

    public static TheoryData<string> Streams => ["/c/test", "/sse/test", "/ws/test", "/c/test?ack=manual", "/ws/test?ack=manual"];

    public async ValueTask InitializeAsync()
    {
        _server = await PushQueueServer.StartAsync();
        await _server.PostAsync("/p/test?policy=roundrobin");
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [MemberData(nameof(Streams))]
    public async Task The_former_stream_of_the_same_instance_ends_and_gets_nothing_more(string path)
    {
        await using var former = await OpenAsync(_server, path, "one");
        await using var later = await OpenAsync(_server, path, "one");
        await _server.PostAsync("/q/test/batch", string.Join('\n', Enumerable.Range(0, 10)), "application/x-ndjson");

        Assert.Contains("\"body\":0", await later.NextAsync(), StringComparison.Ordinal);
        Assert.Contains(await former.NextAsync(), EndsOf(path));
        Assert.Single(await ConsumersAsync(_server));
    }

    [Theory]
    [MemberData(nameof(Streams))]
    public async Task Other_instances_and_queues_stay(string path)
    {
        await _server.PostAsync("/p/other?policy=roundrobin");
        await using var one = await OpenAsync(_server, path, "one");
        await using var two = await OpenAsync(_server, path, "two");
        await using var other = await OpenAsync(_server, path.Replace("test", "other", StringComparison.Ordinal), "one");

        Assert.Equal(2, (await ConsumersAsync(_server)).Length);
        Assert.Equal(1, (await _server.GetAsync("/q/other/consumers")).Json.GetProperty("consumers").GetArrayLength());
    }

    [Fact]
    public async Task What_a_manual_consumer_held_goes_to_the_later_stream()
    {
        using var former = await ConnectAsync();
        await former.SendAsync("""{"cmd":"subscribe","queue":"test","ack":"manual","instance":"one"}""");
        Assert.Contains("\"ok\":true", await former.NextAsync(), StringComparison.Ordinal);
        await _server.PostAsync("/q/test", "work");
        Assert.Contains("work", await former.NextAsync(), StringComparison.Ordinal);

        // An answer comes when the server has noted that what came before it is written: only such a message counts as begun.
        await former.SendAsync("""{"cmd":"put","queue":"other","value":1}""");
        Assert.Contains("\"ok\":true", await former.NextAsync(), StringComparison.Ordinal);

        await using var later = await OpenAsync(_server, "/c/test?ack=manual", "one");

        Assert.Contains("\"attempt\":2", await later.NextAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_subscription_of_a_socket_ends_and_the_socket_stays()
    {
        using var former = await ConnectAsync();
        await former.SendAsync("""{"cmd":"subscribe","queue":"test","instance":"one"}""");
        Assert.Contains("\"ok\":true", await former.NextAsync(), StringComparison.Ordinal);
        using var later = await ConnectAsync();
        await later.SendAsync("""{"cmd":"subscribe","queue":"test","instance":"one"}""");
        Assert.Contains("\"ok\":true", await later.NextAsync(), StringComparison.Ordinal);

        Assert.Contains("\"code\":\"replaced\"", await former.NextAsync(), StringComparison.Ordinal);
        await former.SendAsync("""{"cmd":"put","queue":"test","value":1}""");
        Assert.Contains("\"ok\":true", await former.NextAsync(), StringComparison.Ordinal);
        Assert.Contains("\"body\":1", await later.NextAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/c/test?instance=")]
    [InlineData("/sse/test?instance=a%00")]
    [InlineData("/ws?option=unknown")]
    [InlineData("/ws?instance=one")]
    public async Task An_impossible_instance_and_options_of_a_socket_without_subscription_are_refused(string path) =>
        Assert.Equal("bad-option", (await _server.GetAsync(path)).Json.GetProperty("type").GetString());

    [Fact]
    public async Task A_stream_at_another_node_replaces_the_former_one()
    {
        var store = await redis.OptionsAsync();
        await using var here = await StartNodeAsync();
        await using var there = await StartNodeAsync();
        await here.PostAsync("/p/test?policy=roundrobin");
        await using var former = await OpenAsync(here, "/c/test", "one");
        await Eventually.TrueAsync(
            async () => (await NodesOfAsync(here), await NodesOfAsync(there)) == (2, 2), "the nodes know each other");

        await using var later = await OpenAsync(there, "/c/test", "one");

        Assert.Contains("\"replaced\"", await former.NextAsync(), StringComparison.Ordinal);

        Task<PushQueueServer> StartNodeAsync() => PushQueueServer.StartAsync(options =>
        {
            options.Storage.Redis = store.Configuration;
            options.Storage.RedisKeyPrefix = store.KeyPrefix;
        });

        static async Task<int> NodesOfAsync(PushQueueServer node) =>
            (await node.GetAsync("/nodes")).Json.GetProperty("nodes").GetArrayLength();
    }

    private static IEnumerable<string> EndsOf(string path) => path.StartsWith("/ws", StringComparison.Ordinal)
        ? ["close 4005 Another connection took this consumer's place."]
        : ["""{"event":"close","code":"replaced","reason":"Another connection took this consumer's place.","reconnect":false}"""];

    private static async Task<System.Text.Json.JsonElement[]> ConsumersAsync(PushQueueServer server) =>
        [.. (await server.GetAsync("/q/test/consumers")).Json.GetProperty("consumers").EnumerateArray()];

    private static async Task<Stream> OpenAsync(PushQueueServer server, string path, string instance)
    {
        path += (path.Contains('?', StringComparison.Ordinal) ? "&" : "?") + "instance=" + instance;
        if (path.StartsWith("/ws", StringComparison.Ordinal))
        {
            var socket = new ClientWebSocket();
            await socket.ConnectAsync(new Uri($"ws://{server.Address.Authority}{path}"), CancellationToken.None).WithTimeout();
            return new Stream(socket, null);
        }

        var answer = await server.Client.GetAsync(path, HttpCompletionOption.ResponseHeadersRead).WithTimeout();
        return new Stream(null, new StreamLines(await answer.EnsureSuccessStatusCode().Content.ReadAsStreamAsync()));
    }

    private async Task<ClientWebSocket> ConnectAsync()
    {
        var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri($"ws://{_server.Address.Authority}/ws"), CancellationToken.None).WithTimeout();
        return socket;
    }

    private sealed class Stream(ClientWebSocket? socket, StreamLines? lines) : IAsyncDisposable
    {
        public async Task<string> NextAsync()
        {
            if (socket is not null)
            {
                return await socket.NextAsync();
            }

            string line;
            do
            {
                line = (await lines!.NextLineAsync())!;
            }
            while (line.Length == 0 || line.StartsWith("event:", StringComparison.Ordinal)
                || line.StartsWith("id:", StringComparison.Ordinal));
            return line.StartsWith("data: ", StringComparison.Ordinal) ? line["data: ".Length..] : line;
        }

        public ValueTask DisposeAsync()
        {
            socket?.Dispose();
            lines?.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
