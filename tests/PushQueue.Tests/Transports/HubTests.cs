using PushQueue.Queues;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Transports;

/// <summary>
/// Behaviour of every hub client, whether it negotiated (SignalR's transport) or not (ours), in JSON and in MessagePack.
/// </summary>
public sealed class HubTests
{
    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task A_subscriber_gets_messages_as_invocations(bool negotiate, bool packed)
    {
        await using var server = await PushServer.StartAsync();
        using var socket = await server.ConnectHubAsync(negotiate, packed);

        await socket.SendAsync("{\"type\":1,\"invocationId\":\"1\",\"target\":\"Subscribe\",\"arguments\":[\"test\"]}\u001e");
        Assert.Contains(
            "\"type\":3,\"invocationId\":\"1\",\"result\":{\"queue\":\"test\"", await socket.NextRecordAsync(), StringComparison.Ordinal);
        await server.PutAsync("one");

        Assert.Equal(
            "{\"type\":1,\"target\":\"message\",\"arguments\":[{\"queue\":\"test\",\"id\":\"1\",\"body\":\"one\",\"offset\":1,\"contentType\":\"text/plain\"}]}\u001e",
            await socket.NextRecordAsync());
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task A_stream_carries_envelopes_as_items_until_it_is_cancelled(bool negotiate, bool packed)
    {
        await using var server = await PushServer.StartAsync();
        using var socket = await server.ConnectHubAsync(negotiate, packed);

        await socket.SendAsync(
            "{\"type\":4,\"invocationId\":\"7\",\"target\":\"Consume\",\"arguments\":[\"test\",{\"from\":\"earliest\"}]}\u001e");
        await server.PutAsync("one");
        Assert.Contains(
            "\"item\":{\"queue\":\"test\",\"id\":\"1\",\"body\":\"one\"", await socket.NextRecordAsync(), StringComparison.Ordinal);
        await socket.SendAsync("{\"type\":5,\"invocationId\":\"7\"}\u001e");

        await PushServer.UntilAsync(() => server.Registry.Consumers == 0);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task A_wrong_option_and_a_wrong_call_get_an_error_and_the_connection_stays(bool negotiate, bool packed)
    {
        await using var server = await PushServer.StartAsync();
        using var socket = await server.ConnectHubAsync(negotiate, packed);

        await socket.CallAsync("1", "Subscribe", "\"test\",{\"ack\":\"never\"}");
        Assert.Contains("bad-option: The option 'ack' must be auto or manual.", await socket.NextRecordAsync(), StringComparison.Ordinal);
        await socket.CallAsync("2", "Subscribe", string.Empty);
        Assert.Contains("\"invocationId\":\"2\",\"error\"", await socket.NextRecordAsync(), StringComparison.Ordinal);
        await socket.CallAsync("3", "Put", "\"test\",{\"a\":1}");
        Assert.Contains("\"result\":{\"cmd\":\"put\",\"queue\":\"test\",\"value\":{\"a\":1}}", await socket.NextRecordAsync(),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task A_hub_client_takes_its_turn_under_roundrobin_and_leaves_nothing_behind(bool negotiate, bool packed)
    {
        await using var server = await PushServer.StartAsync();
        await server.SetAsync(new QueueSettingsPatch { Policy = DeliveryPolicy.RoundRobin });
        using var comet = await server.ListenAsync("/c/test?format=raw");
        using var socket = await server.ConnectHubAsync(negotiate, packed);
        await socket.SubscribeAsync("test", "{\"format\":\"raw\"}");

        await server.PutAsync("a", "b");

        Assert.Equal("a", await comet.NextLineAsync());
        Assert.Contains("\"arguments\":[\"b\"]", await socket.NextRecordAsync(), StringComparison.Ordinal);
        socket.Abort();
        comet.Dispose();
        await server.NobodyIsLeftAsync();
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task One_connection_holds_many_subscriptions_and_loses_them_one_by_one_or_all_at_once(bool negotiate, bool packed)
    {
        await using var server = await PushServer.StartAsync();
        using var socket = await server.ConnectHubAsync(negotiate, packed);
        for (var i = 0; i < 50; i++)
        {
            await socket.SubscribeAsync($"q{i}");
        }

        for (var i = 0; i < 50; i++)
        {
            await server.PutToAsync(QueueName.Parse($"q{i}"), "text/plain", "x");
            Assert.Contains($"\"queue\":\"q{i}\"", await socket.NextRecordAsync(), StringComparison.Ordinal);
        }

        await socket.CallAsync("u", "Unsubscribe", "\"q7\"");
        Assert.Contains("\"result\":true", await socket.NextRecordAsync(), StringComparison.Ordinal);
        Assert.Equal(49, server.Registry.Consumers);
        socket.Abort();
        await server.NobodyIsLeftAsync();
    }

    [Theory]
    [InlineData(false, "Subscribe", "\"test\",7")]
    [InlineData(true, "Subscribe", "\"test\",7")]
    [InlineData(false, "Subscribe", "\"test\",[\"ack\"]")]
    [InlineData(true, "Subscribe", "\"test\",[\"ack\"]")]
    [InlineData(false, "Subscribe", "[\"test\"],\"ack\"")]
    [InlineData(true, "Subscribe", "[\"test\"],\"ack\"")]
    [InlineData(false, "Unsubscribe", "\"test\",\"started\"")]
    [InlineData(true, "Unsubscribe", "\"test\",\"started\"")]
    [InlineData(false, "Unsubscribe", "\"test\",{\"begun\":[]}")]
    [InlineData(true, "Unsubscribe", "\"test\",{\"begun\":[]}")]
    [InlineData(false, "Unsubscribe", "null,{\"begun\":[]}")]
    [InlineData(true, "Unsubscribe", "null,{\"begun\":[]}")]
    [InlineData(false, "Put", "\"test\",1,\"now\"")]
    [InlineData(true, "Put", "\"test\",1,\"now\"")]
    public async Task Options_that_the_hub_cannot_read_are_refused(bool packed, string method, string arguments)
    {
        await using var server = await PushServer.StartAsync();
        using var socket = await server.ConnectHubAsync(negotiate: false, packed);

        await socket.CallAsync("1", method, arguments);

        Assert.Contains("bad-option: ", await socket.NextRecordAsync(), StringComparison.Ordinal);
        Assert.Equal(0, server.Registry.Consumers);
    }

    [Fact]
    public async Task A_match_that_is_null_is_not_given()
    {
        await using var server = await PushServer.StartAsync();
        using var socket = await server.ConnectHubAsync(negotiate: false);

        await socket.CallAsync("1", "Subscribe", "\"test\",{\"match\":null}");

        Assert.Contains("\"result\":{\"queue\":\"test\"", await socket.NextRecordAsync(), StringComparison.Ordinal);
        await socket.CallAsync("2", "Unsubscribe", "\"test\",null");
        Assert.Contains("\"result\":true", await socket.NextRecordAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task A_queue_that_is_deleted_ends_its_subscription_and_not_the_connection(bool negotiate, bool packed)
    {
        await using var server = await PushServer.StartAsync();
        using var socket = await server.ConnectHubAsync(negotiate, packed);
        await socket.SubscribeAsync("test");
        await server.PutAsync("before");
        Assert.Contains("before", await socket.NextRecordAsync(), StringComparison.Ordinal);

        server.Dispatcher.OnDeleted(server.Queue);

        Assert.StartsWith("{\"type\":1,\"target\":\"close\",\"arguments\":[", await socket.NextRecordAsync(), StringComparison.Ordinal);
        await socket.SubscribeAsync("test");
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task A_subscriber_that_never_reads_is_cut_and_delays_nobody(bool negotiate, bool packed)
    {
        await using var server = await PushServer.StartAsync(options => options.BufferBytesMax = 64 * 1024);
        using var stuck = await server.ConnectHubAsync(negotiate, packed);
        await stuck.SubscribeAsync("test");
        using var reader = await server.ConnectHubAsync(negotiate, packed);
        await reader.SubscribeAsync("test");

        var body = new string('x', 20_000);
        for (var i = 0; server.Registry.Connections == 2; i++)
        {
            await server.PutAsync(body);
            Assert.Contains($"\"offset\":{i + 1},", await reader.NextRecordAsync(), StringComparison.Ordinal);
            Assert.True(i < 1_000_000, "The stuck subscriber was never cut.");
        }

        Assert.Equal(1, server.Registry.Consumers);
    }

    [Fact]
    public async Task A_store_that_is_away_is_named_to_whoever_subscribes()
    {
        await using var server = await PushServer.StartAsync();
        using var hub = await server.ConnectHubAsync(negotiate: false);
        using var socket = await server.ConnectAsync("/ws");
        server.Fail(new StoreUnavailableException("Redis is away."));

        await hub.SendAsync("{\"type\":1,\"invocationId\":\"7\",\"target\":\"Subscribe\",\"arguments\":[\"test\",{}]}\u001e");
        await socket.SendAsync("""{"cmd":"subscribe","queue":"test","ref":5}""");

        Assert.Contains("store-unavailable: ", await hub.NextRecordAsync(), StringComparison.Ordinal);
        Assert.StartsWith("""{"ref":5,"error":"store-unavailable""", await socket.NextAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task A_stream_that_the_store_cannot_serve_leaves_nothing_behind(bool negotiate, bool packed)
    {
        await using var server = await PushServer.StartAsync();
        using var socket = await server.ConnectHubAsync(negotiate, packed);
        server.Fail();

        await socket.SendAsync(
            "{\"type\":4,\"invocationId\":\"7\",\"target\":\"Consume\",\"arguments\":[\"test\",{\"from\":\"earliest\"}]}\u001e");

        Assert.Contains("\"invocationId\":\"7\",\"error\"", await socket.NextRecordAsync(), StringComparison.Ordinal);
        await PushServer.UntilAsync(() => server.Registry.Consumers == 0);
        socket.Abort();
        await server.NobodyIsLeftAsync();
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task A_draining_server_says_so_before_it_closes(bool negotiate, bool packed)
    {
        await using var server = await PushServer.StartAsync();
        using var socket = await server.ConnectHubAsync(negotiate, packed);
        await socket.SubscribeAsync("test");

        var draining = server.Dispatcher.DrainAsync(TimeSpan.FromSeconds(20));

        var words = await socket.NextRecordsAsync(2);
        Assert.StartsWith("{\"type\":1,\"target\":\"close\"", words[0], StringComparison.Ordinal);
        Assert.Contains("\"type\":7", words[1], StringComparison.Ordinal);
        Assert.Contains("\"allowReconnect\":true", words[1], StringComparison.Ordinal);
        socket.Abort();
        await draining.WithTimeout();
        await server.NobodyIsLeftAsync();
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task Calls_that_come_all_at_once_are_answered_in_order(bool negotiate, bool packed)
    {
        await using var server = await PushServer.StartAsync();
        using var socket = await server.ConnectHubAsync(negotiate, packed);

        // Many records in one frame, then a frame each, none of them waiting for an answer.
        await socket.SendAsync(
            string.Concat(Enumerable.Range(0, 100).Select(i => HubSockets.Call($"{i}", "Put", $"\"test\",\"{new string('x', 2000)}\""))));
        for (var i = 100; i < 200; i++)
        {
            await socket.CallAsync($"{i}", "Put", "\"test\",1");
        }

        var answers = await socket.NextRecordsAsync(200);
        for (var i = 0; i < 200; i++)
        {
            Assert.StartsWith($"{{\"type\":3,\"invocationId\":\"{i}\",\"result\"", answers[i], StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task A_silent_client_is_pinged_and_cut(bool negotiate, bool packed)
    {
        await using var server = await PushServer.StartAsync(hub: static hub =>
        {
            hub.KeepAliveInterval = TimeSpan.FromMilliseconds(100);
            hub.ClientTimeoutInterval = TimeSpan.FromSeconds(2);
        });
        using var socket = await server.ConnectHubAsync(negotiate, packed);

        // SignalR expects pings only of a client that has sent one.
        await socket.SendAsync("{\"type\":6}\u001e");

        Assert.Equal("{\"type\":6}\u001e", await socket.NextAsync());
        Assert.StartsWith(
            "{\"type\":7,\"error\":\"Connection closed with an error.", await socket.NextRecordAsync(), StringComparison.Ordinal);
        Assert.StartsWith("close 10", await socket.NextRecordAsync(), StringComparison.Ordinal);
        socket.Abort();
        await server.NobodyIsLeftAsync();
    }
}
