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
        Assert.Contains("subscribed to 'test' already", await socket.NextAsync(), StringComparison.Ordinal);
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
    public async Task A_frame_that_breaks_the_protocol_closes_the_socket_with_a_code(byte[] frame, int code)
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
