using System.Net.WebSockets;
using PushQueue.Queues;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Transports;

public sealed class HubTests
{
    private const string Handshake = "{\"protocol\":\"json\",\"version\":1}\u001e";

    [Fact]
    public async Task A_subscriber_gets_messages_as_invocations()
    {
        await using var server = await PushServer.StartAsync();
        using var socket = await server.ConnectAsync("/hub");
        await socket.SendAsync(Handshake);
        Assert.Equal("{}\u001e", await socket.NextAsync());

        await socket.SendAsync("{\"type\":1,\"invocationId\":\"1\",\"target\":\"Subscribe\",\"arguments\":[\"test\"]}\u001e");
        Assert.Contains("\"type\":3,\"invocationId\":\"1\",\"result\":{\"queue\":\"test\"", await RecordAsync(socket), StringComparison.Ordinal);
        await server.PutAsync("one");

        Assert.Equal(
            "{\"type\":1,\"target\":\"message\",\"arguments\":[{\"queue\":\"test\",\"id\":\"1\",\"body\":\"one\",\"offset\":1}]}\u001e",
            await RecordAsync(socket));
    }

    [Fact]
    public async Task A_stream_carries_envelopes_as_items_until_it_is_cancelled()
    {
        await using var server = await PushServer.StartAsync();
        using var socket = await server.ConnectAsync("/hub");
        await socket.SendAsync(Handshake);
        _ = await socket.NextAsync();

        await socket.SendAsync("{\"type\":4,\"invocationId\":\"7\",\"target\":\"Consume\",\"arguments\":[\"test\",{\"from\":\"earliest\"}]}\u001e");
        await server.PutAsync("one");
        Assert.Contains("\"item\":{\"queue\":\"test\",\"id\":\"1\",\"body\":\"one\"", await RecordAsync(socket), StringComparison.Ordinal);
        await socket.SendAsync("{\"type\":5,\"invocationId\":\"7\"}\u001e");

        await PushServer.UntilAsync(() => server.Registry.Consumers == 0);
    }

    [Fact]
    public async Task A_wrong_option_and_a_wrong_call_get_an_error_and_the_connection_stays()
    {
        await using var server = await PushServer.StartAsync();
        using var socket = await server.ConnectAsync("/hub");
        await socket.SendAsync(Handshake);
        _ = await socket.NextAsync();

        await socket.SendAsync("{\"type\":1,\"invocationId\":\"1\",\"target\":\"Subscribe\",\"arguments\":[\"test\",{\"ack\":\"never\"}]}\u001e");
        Assert.Contains("bad-option: ack is auto or manual.", await RecordAsync(socket), StringComparison.Ordinal);
        await socket.SendAsync("{\"type\":1,\"invocationId\":\"2\",\"target\":\"Subscribe\",\"arguments\":[]}\u001e");
        Assert.Contains("\"invocationId\":\"2\",\"error\"", await RecordAsync(socket), StringComparison.Ordinal);
        await socket.SendAsync("{\"type\":1,\"invocationId\":\"3\",\"target\":\"Put\",\"arguments\":[\"test\",{\"a\":1}]}\u001e");
        Assert.Contains("\"result\":{\"cmd\":\"put\",\"queue\":\"test\",\"value\":{\"a\":1}}", await RecordAsync(socket), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_hub_client_takes_its_turn_under_roundrobin_and_leaves_nothing_behind()
    {
        await using var server = await PushServer.StartAsync();
        await server.SetAsync(new QueueSettingsPatch { Policy = DeliveryPolicy.RoundRobin });
        using var comet = await server.ListenAsync("/c/test?format=raw");
        using var socket = await server.ConnectAsync("/hub");
        await socket.SendAsync(Handshake);
        _ = await socket.NextAsync();
        await socket.SendAsync("{\"type\":1,\"invocationId\":\"1\",\"target\":\"Subscribe\",\"arguments\":[\"test\",{\"format\":\"raw\"}]}\u001e");
        _ = await RecordAsync(socket);

        await server.PutAsync("a", "b");

        Assert.Equal("a", await comet.NextLineAsync());
        Assert.Contains("\"arguments\":[\"b\"]", await RecordAsync(socket), StringComparison.Ordinal);
        socket.Abort();
        comet.Dispose();
        await server.NobodyIsLeftAsync();
    }

    [Fact]
    public async Task A_stream_that_the_store_cannot_serve_leaves_nothing_behind()
    {
        await using var server = await PushServer.StartAsync();
        using var socket = await server.ConnectAsync("/hub");
        await socket.SendAsync(Handshake);
        _ = await socket.NextAsync();
        await server.Store.DisposeAsync();

        await socket.SendAsync("{\"type\":4,\"invocationId\":\"7\",\"target\":\"Consume\",\"arguments\":[\"test\",{\"from\":\"earliest\"}]}\u001e");
        Assert.Contains("\"invocationId\":\"7\",\"error\"", await RecordAsync(socket), StringComparison.Ordinal);

        socket.Abort();
        await server.NobodyIsLeftAsync();
    }

    private static async Task<string> RecordAsync(ClientWebSocket socket)
    {
        string record;
        do
        {
            record = await socket.NextAsync();
        }
        while (record.Contains("\"type\":6", StringComparison.Ordinal));
        return record;
    }
}
