using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Transports;

public sealed class WebSocketTests
{
    [Theory]
    [InlineData(10)]
    [InlineData(200)]
    [InlineData(70_000 / 2)]
    public async Task A_subscriber_gets_a_text_frame_per_message(int length)
    {
        await using var server = await PushServer.StartAsync();
        using var socket = await server.ConnectAsync("/ws/test");

        await server.PutAsync(new string('x', length), "second");

        Assert.Contains($"\"body\":\"{new string('x', length)}\"", await socket.NextAsync(), StringComparison.Ordinal);
        Assert.Equal("""{"queue":"test","id":"2","body":"second","offset":2,"contentType":"text/plain"}""", await socket.NextAsync());
    }

    [Fact]
    public async Task One_socket_holds_many_subscriptions()
    {
        await using var server = await PushServer.StartAsync();
        using var socket = await server.ConnectAsync("/ws");

        await socket.SendAsync("""{"cmd":"subscribe","queue":"test","ref":7}""");
        Assert.StartsWith("""{"ref":7,"ok":true,"queue":"test" """.TrimEnd(), await socket.NextAsync(), StringComparison.Ordinal);
        await socket.SendAsync("""{"cmd":"subscribe","queue":"test"}""");
        Assert.Contains("already subscribed to 'test'", await socket.NextAsync(), StringComparison.Ordinal);
        await server.PutAsync("one");
        Assert.Contains("one", await socket.NextAsync(), StringComparison.Ordinal);
        await socket.SendAsync("""{"cmd":"unsubscribe","queue":"test","ref":"u"}""");
        Assert.StartsWith("""{"ref":"u","ok":true""", await socket.NextAsync(), StringComparison.Ordinal);

        Assert.Equal(0, server.Registry.Consumers);
    }

    [Fact]
    public async Task Binary_and_broken_frames_get_an_answer_and_the_socket_stays_open()
    {
        await using var server = await PushServer.StartAsync();
        using var socket = await server.ConnectAsync("/ws");

        await socket.SendAsync(new byte[] { 1, 2 }, WebSocketMessageType.Binary, true, CancellationToken.None);
        Assert.Contains("error", await socket.NextAsync(), StringComparison.Ordinal);
        await socket.SendAsync("""{"cmd":"subscribe",""");
        Assert.Contains("error", await socket.NextAsync(), StringComparison.Ordinal);
        await socket.SendAsync(Encoding.UTF8.GetBytes("{\"cmd\":"), WebSocketMessageType.Text, false, CancellationToken.None);
        await socket.SendAsync(Encoding.UTF8.GetBytes("\"echo\"}"), WebSocketMessageType.Text, true, CancellationToken.None);

        Assert.Equal("""{"cmd":"echo"}""", await socket.NextAsync());
    }

    [Theory]
    [InlineData(new byte[] { 0x81, 0x05, 1, 2, 3, 4, 5 }, 1002)]
    [InlineData(new byte[] { 0xC1, 0x80, 0, 0, 0, 0 }, 1002)]
    [InlineData(new byte[] { 0x80, 0x80, 0, 0, 0, 0 }, 1002)]
    [InlineData(new byte[] { 0x81, 0x81, 0, 0, 0, 0, 0xFF }, 1007)]
    [InlineData(new byte[] { 0x81, 0xFF, 0x7F, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }, 1009)]
    [InlineData(new byte[] { 0x81, 0xFE, 0x00, 0x05, 0, 0, 0, 0, 1, 2, 3, 4, 5 }, 1002)]
    [InlineData(new byte[] { 0x81, 0xFF, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0, 0, 0 }, 1002)]
    [InlineData(new byte[] { 0x88, 0x81, 0, 0, 0, 0, 3 }, 1002)]
    [InlineData(new byte[] { 0x88, 0x83, 0, 0, 0, 0, 0x03, 0xE8, 0xFF }, 1007)]
    public Task A_frame_that_breaks_the_protocol_closes_the_socket_with_a_code(byte[] frame, int code) => ClosesWithAsync(frame, code);

    [Theory]
    [InlineData(0, 1002)]
    [InlineData(999, 1002)]
    [InlineData(1000, 1000)]
    [InlineData(1003, 1000)]
    [InlineData(1004, 1002)]
    [InlineData(1005, 1002)]
    [InlineData(1006, 1002)]
    [InlineData(1007, 1000)]
    [InlineData(1014, 1000)]
    [InlineData(1015, 1002)]
    [InlineData(2999, 1002)]
    [InlineData(3000, 1000)]
    [InlineData(4999, 1000)]
    [InlineData(5000, 1002)]
    [InlineData(65535, 1002)]
    public Task A_close_with_a_code_that_no_client_may_send_is_a_broken_frame(int sent, int answered) =>
        ClosesWithAsync([0x88, 0x82, 0, 0, 0, 0, (byte)(sent >> 8), (byte)sent], answered);

    [Theory]
    [InlineData("/ws", "1.0", "websocket", 426)]
    [InlineData("/ws", "1.1", "notwebsocket", 426)]
    [InlineData("/ws", "1.1", "h2c", 426)]
    [InlineData("/ws", "1.1", "h2c, WebSocket", 101)]
    [InlineData("/hub", "1.0", "websocket", 426)]
    [InlineData("/hub?id=x", "1.0", "WebSocket", 426)]
    [InlineData("/hub", "1.1", "notwebsocket", 400)]
    [InlineData("/hub", "1.1", "h2c, WebSocket", 101)]
    public async Task Only_a_handshake_of_http_1_1_that_asks_for_this_protocol_becomes_a_socket(
        string path, string version, string upgrade, int status)
    {
        await using var server = await PushServer.StartAsync();

        var answer = await HandshakeAsync(server, $"HTTP/{version}", $"Upgrade: {upgrade}", path);

        Assert.StartsWith($"HTTP/1.1 {status}", answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("pushqueue", true)]
    [InlineData("graphql-ws, pushqueue", true)]
    [InlineData("graphql-ws", false)]
    [InlineData("PUSHQUEUE", false)]
    public async Task Of_the_subprotocols_that_a_client_offers_only_the_servers_own_is_selected(string offered, bool selected)
    {
        await using var server = await PushServer.StartAsync();

        var answer = await HandshakeAsync(server, "HTTP/1.1", $"Upgrade: websocket\r\nSec-WebSocket-Protocol: {offered}");

        Assert.StartsWith("HTTP/1.1 101", answer, StringComparison.Ordinal);
        Assert.Equal(selected, answer.Contains("Sec-WebSocket-Protocol: pushqueue\r\n", StringComparison.Ordinal));
        Assert.Equal(selected, answer.Contains("Sec-WebSocket-Protocol", StringComparison.Ordinal));
    }

    private static async Task<string> HandshakeAsync(PushServer server, string version, string headers, string path = "/ws")
    {
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", int.Parse(server.Address.Split(':')[1])).WithTimeout();
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(
            $"GET {path} {version}\r\nHost: localhost\r\nConnection: Upgrade\r\n{headers}\r\n"
            + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")).WithTimeout();
        using var reader = new StreamReader(client.GetStream(), Encoding.ASCII);
        var answer = new StringBuilder();
        while (await reader.ReadLineAsync().WithTimeout() is { Length: > 0 } line)
        {
            answer.Append(line).Append("\r\n");
        }

        return answer.ToString();
    }

    private static async Task ClosesWithAsync(byte[] frame, int code)
    {
        await using var server = await PushServer.StartAsync();
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", int.Parse(server.Address.Split(':')[1]));
        var stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(
            "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"));
        var answer = new StringBuilder();
        while (!answer.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            answer.Append((char)stream.ReadByte());
        }

        Assert.Contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", answer.ToString(), StringComparison.Ordinal);
        await stream.WriteAsync(frame);

        var close = new byte[4];
        await stream.ReadExactlyAsync(close);
        Assert.Equal(0x88, close[0]);
        Assert.Equal(code, (close[2] << 8) | close[3]);
        await server.NobodyIsLeftAsync();
    }

    [Fact]
    public async Task A_subscriber_that_never_reads_is_cut_and_delays_nobody()
    {
        await using var server = await PushServer.StartAsync(options => options.BufferBytesMax = 64 * 1024);
        using var stuck = await server.ConnectAsync("/ws/test");
        var readers = new List<ClientWebSocket>();
        for (var i = 0; i < 3; i++)
        {
            readers.Add(await server.ConnectAsync("/ws/test"));
        }

        var body = new string('x', 20_000);
        for (var i = 0; server.Registry.Connections == 4; i++)
        {
            await server.PutAsync(body);
            foreach (var reader in readers)
            {
                Assert.Contains($"\"offset\":{i + 1}", await reader.NextAsync(), StringComparison.Ordinal);
            }

            Assert.True(i < 1_000_000, "The stuck subscriber was never cut.");
        }

        Assert.Equal(3, server.Registry.Consumers);
    }

    [Fact]
    public async Task A_ping_is_answered()
    {
        await using var server = await PushServer.StartAsync();
        using var socket = new ClientWebSocket();
        socket.Options.KeepAliveInterval = TimeSpan.FromMilliseconds(50);
        socket.Options.KeepAliveTimeout = TimeSpan.FromSeconds(5);
        await socket.ConnectAsync(new Uri($"ws://{server.Address}/ws/test"), CancellationToken.None);
        var next = socket.NextAsync();

        await Task.Delay(500);
        await server.PutAsync("still there");

        Assert.Contains("still there", await next, StringComparison.Ordinal);
    }
}
