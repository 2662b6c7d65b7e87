using System.Net.WebSockets;
using System.Text;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Transports;

/// <summary>The particulars of hub clients that skip negotiation: frames, closing, and the border to SignalR's own transport.</summary>
public sealed class HubSocketTests
{
    private const byte FinalText = 0x81;
    private const byte FinalClose = 0x88;

    [Theory]
    [InlineData(10)]
    [InlineData(3000)]
    [InlineData(100_000)]
    public async Task A_message_and_an_answer_of_any_size_are_one_frame_each(int length)
    {
        await using var server = await PushServer.StartAsync();
        using var socket = await RawWebSocket.ConnectAsync(server.Address, "/hub");
        await socket.SendAsync(FinalText, HubSockets.Handshake);
        Assert.Equal("{}\u001e", await TextAsync(socket));
        await socket.SendAsync(FinalText, HubSockets.Call("1", "Subscribe", "\"test\""));
        Assert.Contains("\"result\"", await TextAsync(socket), StringComparison.Ordinal);

        var body = new string('x', length);
        await server.PutAsync(body);

        Assert.Equal(
            $"{{\"type\":1,\"target\":\"message\",\"arguments\":[{{\"queue\":\"test\",\"id\":\"1\",\"body\":\"{body}\",\"offset\":1,\"contentType\":\"text/plain\"}}]}}\u001e",
            await TextAsync(socket));
    }

    [Fact]
    public async Task A_large_call_gets_its_large_answer()
    {
        await using var server = await PushServer.StartAsync();
        using var socket = await server.ConnectHubAsync(negotiate: false);
        var body = new string('x', 50_000);

        await socket.CallAsync("1", "Put", $"\"test\",\"{body}\"");

        Assert.Contains(body, await socket.NextRecordAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_handshake_may_come_in_pieces_with_a_call_behind_it()
    {
        await using var server = await PushServer.StartAsync();
        using var socket = await RawWebSocket.ConnectAsync(server.Address, "/hub");

        // Two messages and, within the second, two fragments with a ping between them.
        await socket.SendAsync(FinalText, HubSockets.Handshake[..10]);
        await socket.SendAsync(0x01, HubSockets.Handshake[10..20]);
        await socket.SendAsync(0x89, "ping");
        await socket.SendAsync(0x80, HubSockets.Handshake[20..] + HubSockets.Call("1", "Unsubscribe", "\"none\""));

        var (first, payload) = await socket.NextAsync();
        Assert.Equal(0x8A, first);
        Assert.Equal("ping", Encoding.UTF8.GetString(payload));
        Assert.Equal("{}\u001e", await TextAsync(socket));
        Assert.Equal("{\"type\":3,\"invocationId\":\"1\",\"result\":false}\u001e", await TextAsync(socket));
    }

    [Fact]
    public async Task A_protocol_that_the_hub_does_not_speak_is_refused_and_closed()
    {
        await using var server = await PushServer.StartAsync();
        using var socket = await server.OpenHubAsync(negotiate: false);

        await socket.SendAsync("{\"protocol\":\"blazorpack\",\"version\":1}\u001e");

        Assert.Contains("\"error\":\"The protocol 'blazorpack' is not supported.\"", await socket.NextAsync(), StringComparison.Ordinal);
        Assert.StartsWith("close 1000", await socket.NextAsync(), StringComparison.Ordinal);
        await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None).WithTimeout();
        await server.NobodyIsLeftAsync();
    }

    [Fact]
    public async Task A_record_that_is_no_json_ends_the_connection_with_an_error()
    {
        await using var server = await PushServer.StartAsync();
        using var socket = await server.ConnectHubAsync(negotiate: false);
        await socket.SubscribeAsync("test");

        await socket.SendAsync("nonsense\u001e");

        Assert.StartsWith("{\"type\":7,\"error\":", await socket.NextRecordAsync(), StringComparison.Ordinal);
        Assert.StartsWith("close 1000", await socket.NextRecordAsync(), StringComparison.Ordinal);
        socket.Abort();
        await server.NobodyIsLeftAsync();
    }

    [Fact]
    public async Task A_frame_that_breaks_the_protocol_closes_the_socket_with_a_code()
    {
        await using var server = await PushServer.StartAsync();
        using var socket = await RawWebSocket.ConnectAsync(server.Address, "/hub");
        await socket.SendAsync(FinalText, HubSockets.Handshake);
        Assert.Equal("{}\u001e", await TextAsync(socket));

        await socket.SendAsync(0xC1, "reserved bit");

        Assert.Contains(
            "{\"type\":7,\"error\":\"The client broke the WebSocket protocol.\"}\u001e",
            await TextAsync(socket),
            StringComparison.Ordinal);
        var (first, payload) = await socket.NextAsync();
        Assert.Equal(FinalClose, first);
        Assert.Equal(1002, (payload[0] << 8) | payload[1]);
        await server.NobodyIsLeftAsync();
    }

    [Fact]
    public async Task A_client_that_closes_is_answered_and_leaves_nothing_behind()
    {
        await using var server = await PushServer.StartAsync();
        using var socket = await server.ConnectHubAsync(negotiate: false);
        await socket.SubscribeAsync("test");
        await socket.SendAsync("{\"type\":4,\"invocationId\":\"7\",\"target\":\"Consume\",\"arguments\":[\"other\"]}\u001e");
        await PushServer.UntilAsync(() => server.Registry.Consumers == 2);

        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None).WithTimeout();

        Assert.Equal(WebSocketCloseStatus.NormalClosure, socket.CloseStatus);
        await server.NobodyIsLeftAsync();
    }

    [Fact]
    public async Task A_draining_server_closes_in_order_after_its_reason_and_takes_nobody_in()
    {
        await using var server = await PushServer.StartAsync();
        using var socket = await server.ConnectHubAsync(negotiate: false);
        await socket.SubscribeAsync("test");

        var draining = server.Dispatcher.DrainAsync(TimeSpan.FromSeconds(20));

        _ = await socket.NextRecordsAsync(2);
        Assert.StartsWith("close 1000 {\"code\":\"server-shutdown\",\"reconnectMs\":", await socket.NextAsync(), StringComparison.Ordinal);
        await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None).WithTimeout();
        await draining.WithTimeout();
        var refused = await Assert.ThrowsAsync<WebSocketException>(() => server.OpenHubAsync(negotiate: false));
        Assert.Contains("503", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Before_the_handshake_is_answered_a_draining_server_says_nothing_that_would_be_taken_for_the_answer()
    {
        await using var server = await PushServer.StartAsync();
        using var socket = await server.OpenHubAsync(negotiate: false);

        var draining = server.Dispatcher.DrainAsync(TimeSpan.FromSeconds(20));

        Assert.StartsWith("close 1012 {\"code\":\"server-shutdown\",\"reconnectMs\":", await socket.NextAsync(), StringComparison.Ordinal);
        await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None).WithTimeout();
        await draining.WithTimeout();
    }

    [Fact]
    public async Task A_client_that_never_answers_the_close_is_cut()
    {
        await using var server = await PushServer.StartAsync();
        using var socket = await server.ConnectHubAsync(negotiate: false);
        await socket.SubscribeAsync("test");

        await server.Dispatcher.DrainAsync(TimeSpan.FromSeconds(20)).WithTimeout();

        await server.NobodyIsLeftAsync();
    }

    private static async Task<string> TextAsync(RawWebSocket socket)
    {
        var (first, payload) = await socket.NextAsync();
        Assert.Equal(FinalText, first);
        return Encoding.UTF8.GetString(payload);
    }
}
