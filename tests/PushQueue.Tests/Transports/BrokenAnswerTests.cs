using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using PushQueue.Security;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Transports;

/// <summary>Takes and leases whose client goes while the answer is written, over every way to take.</summary>
public sealed class BrokenAnswerTests : IAsyncLifetime
{
    private const int Size = 1024 * 1024;

    // A form of RestMQ, and XML-RPC.
    private const string Command = "{\"cmd\":\"take\",\"queue\":\"test\"}";
    private const string XmlCall =
        "<?xml version=\"1.0\"?><methodCall><methodName>get</methodName><params><param><value><string>test</string></value></param></params></methodCall>";

    private PushQueueServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await PushQueueServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    public static TheoryData<string, string, string> Requests => new()
    {
        { "GET", "/q/test", "" },
        { "GET", "/q/test?wait=10s", "" },
        { "GET", "/q/test?ttr=1h", "" },
        { "GET", "/q/test/batch?count=16", "" },
        { "GET", "/q/test/batch?count=16&ttr=1h", "" },
        { "POST", "/queue", """{"cmd":"take","queue":"test"}""" },
        { "POST", "/queue", """{"cmd":"take","queue":"test","count":16}""" },
        { "POST", "/queue", """{"cmd":"lease","queue":"test","ttr":"1h"}""" },
        { "GET", "/restmq/q/test", "" },
        { "GET", "/restmq/?queue=test", "" },
        { "POST", "/restmq/queue", Command },
        { "POST", "/restmq/xmlrpc", XmlCall },
        { "GET", "/presque/q/test", "" },
        { "GET", "/presque/qb/test?batch_size=16", "" },
        { "POST", "/redisched/t/test/pull", "{}" },
        { "POST", "/redisched/t/test/reserve", """{"ttr":3600000}""" },
    };

    [Fact]
    public void Every_get_that_takes_is_among_these_requests()
    {
        var takes = _server.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(static endpoint => endpoint.Metadata.GetMetadata<RouteAccess>()?.Rules
                .Any(static rule => rule.Method == "GET" && rule.Rule.AnyOf == Permissions.Take) ?? false)
            .Select(static endpoint => endpoint.RoutePattern.RawText!.Replace("{queue}", "test", StringComparison.Ordinal));
        var asked = Requests.Select(static row => row.Data.Item2.Split('?')[0].TrimEnd('/')).ToHashSet(StringComparer.Ordinal);

        Assert.All(takes, path => Assert.Contains(path.TrimEnd('/'), asked));
    }

    [Theory]
    [MemberData(nameof(Requests))]
    public async Task What_an_answer_that_broke_was_about_is_ready_again_and_uncounted(string method, string path, string body)
    {
        await PutAsync(16);
        using (var client = await AskAsync(method, path, body))
        {
            await ReadAsync(client.GetStream(), Size / 16);
            client.Client.LingerState = new LingerOption(enable: true, seconds: 0);
        }

        await Eventually.TrueAsync(async () => await CountAsync("ready") == 16, "all messages are ready again");

        // At their old places, as if they had never been given out.
        var leases = (await _server.GetAsync("/q/test/batch?count=16&ttr=1m")).Json.EnumerateArray().ToList();
        Assert.Equal(
            Enumerable.Range(1, 16).Select(static i => $"{i}"), leases.Select(static lease => lease.GetProperty("id").GetString()));
        Assert.All(leases, static lease => Assert.Equal(1, lease.GetProperty("attempt").GetInt32()));
    }

    [Theory]
    [MemberData(nameof(Requests))]
    public async Task What_an_answer_that_was_read_was_about_is_gone_or_leased(string method, string path, string body)
    {
        await PutAsync(1);
        using var client = await AskAsync(method, path, body);

        await ReadAsync(client.GetStream(), Size);

        var leases = path.Contains("ttr", StringComparison.Ordinal) || body.Contains("ttr", StringComparison.Ordinal);
        await Eventually.TrueAsync(
            async () => (await CountAsync("ready"), await CountAsync("leased")) == (0, leases ? 1 : 0), "the take has ended");
    }

    [Theory]
    [InlineData("/ws", """{"cmd":"take","queue":"test","count":16}""")]
    [InlineData("/ws", """{"cmd":"take","queue":"test","wait":"10s"}""")]
    [InlineData("/ws", """{"cmd":"lease","queue":"test","ttr":"1h","count":16}""")]
    [InlineData("/hub", "{\"type\":1,\"invocationId\":\"1\",\"target\":\"Take\",\"arguments\":[\"test\",{\"count\":16}]}\u001e")]
    public async Task So_it_is_on_sockets(string path, string frame)
    {
        await PutAsync(16);
        var socket = await ConnectAsync(path);
        var answer = new byte[64 * 1024];
        await socket.SendAsync(frame);
        _ = await socket.ReceiveAsync(answer.AsMemory(), CancellationToken.None).AsTask().WithTimeout();
        Assert.NotEqual(16, await CountAsync("ready"));

        socket.Abort();

        await Eventually.TrueAsync(async () => await CountAsync("ready") == 16, "all messages are ready again");
    }

    [Theory]
    [InlineData("/ws", """{"cmd":"take","queue":"test","count":16}""")]
    [InlineData("/hub", "{\"type\":1,\"invocationId\":\"1\",\"target\":\"Take\",\"arguments\":[\"test\",{\"count\":16}]}\u001e")]
    public async Task What_a_socket_was_sent_is_gone(string path, string frame)
    {
        await PutAsync(2);
        using var socket = await ConnectAsync(path);
        await socket.SendAsync(frame);

        var answer = await socket.NextOfAllAsync();

        Assert.Contains(new string('x', 100), answer, StringComparison.Ordinal);
        await Eventually.TrueAsync(async () => (await CountAsync("ready"), await CountAsync("leased")) == (0, 0), "the take has ended");
    }

    /// <summary>
    /// A socket whose system takes little before the client reads: with more room the system acknowledges a whole answer.
    /// </summary>
    private async Task<ClientWebSocket> ConnectAsync(string path)
    {
        var socket = new ClientWebSocket();
        socket.Options.SetBuffer(4096, 4096);
        using var handler = new SocketsHttpHandler
        {
            ConnectCallback = static async (context, cancellationToken) =>
            {
                var connection = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 16 * 1024, NoDelay = true };
                await connection.ConnectAsync(context.DnsEndPoint, cancellationToken);
                return new NetworkStream(connection, ownsSocket: true);
            },
        };
        using var invoker = new HttpMessageInvoker(handler, disposeHandler: false);
        await socket.ConnectAsync(new Uri($"ws://{_server.Address.Authority}{path}"), invoker, CancellationToken.None).WithTimeout();
        if (path == "/hub")
        {
            await socket.SendAsync(HubSockets.Handshake);
            _ = await socket.NextOfAllAsync();
        }

        return socket;
    }

    private async Task PutAsync(int count)
    {
        var body = new string('x', Size);
        for (var i = 0; i < count; i++)
        {
            Assert.Equal(201, (await _server.PostAsync("/q/test", body)).Status);
        }
    }

    /// <summary>A client whose system takes little before the client reads.</summary>
    private async Task<TcpClient> AskAsync(string method, string path, string body)
    {
        var client = new TcpClient { ReceiveBufferSize = 16 * 1024 };
        await client.ConnectAsync(IPAddress.Loopback, _server.Address.Port).WithTimeout();
        var type = body.StartsWith('<') ? "text/xml" : "application/json";
        var head = $"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {type}\r\nContent-Length: {body.Length}\r\n\r\n";
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(head + body)).AsTask().WithTimeout();
        return client;
    }

    private static async Task ReadAsync(NetworkStream stream, int bytes)
    {
        var buffer = new byte[bytes];
        await stream.ReadExactlyAsync(buffer).AsTask().WithTimeout();
        Assert.StartsWith("HTTP/1.1 200", Encoding.ASCII.GetString(buffer, 0, 20), StringComparison.Ordinal);
    }

    private async Task<int> CountAsync(string state) => (await _server.GetAsync("/j/test")).Json.GetProperty(state).GetInt32();
}
