using System.Net;
using System.Net.Sockets;
using System.Text;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Transports;

/// <summary>Clients that reset their connection in the middle of a body: no fault of the server, and none in its log.</summary>
public sealed class ResetRequestTests
{
    private const int ResetsPerRoute = 60;

    [Theory]
    [InlineData("Transfer-Encoding: chunked", "5\r\nab")]
    [InlineData("Content-Length: 100", "ab")]
    public async Task A_connection_that_is_reset_within_a_body_leaves_no_error_in_the_log(string framing, string beginning)
    {
        await using var server = await PushQueueServer.StartAsync();
        foreach (var path in (string[])["/q/q", "/q/q/batch", "/q/q/ack", "/queue", "/p/q", "/presque/q/q", "/redisched/t/q/put",
            "/restmq/q/q", "/restmq/queue"])
        {
            await Task.WhenAll(Enumerable.Range(0, ResetsPerRoute).Select(_ => ResetAsync(
                server.Address.Port,
                    $"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{framing}\r\n\r\n{beginning}")));
        }

        // The server's logger fails the test at its end if an error was logged.
        Assert.Equal(201, (await server.PostAsync("/q/q", "x")).Status);
    }

    private static async Task ResetAsync(int port, string request)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port)).WithTimeout();
        _ = await socket.SendAsync(Encoding.ASCII.GetBytes(request)).WithTimeout();
        socket.LingerState = new LingerOption(enable: true, seconds: 0);
    }
}
