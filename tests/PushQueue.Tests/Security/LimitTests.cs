using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Security;

/// <summary>Each limit is reached once: the answer says so, the counter counts it, and what was there before still works.</summary>
public sealed class LimitTests
{
    [Fact]
    public async Task No_more_queues_than_allowed_and_those_that_are_there_go_on()
    {
        await using var server = await PushQueueServer.StartAsync(static options => options.Queues.QueuesMax = 2);
        using var hits = new LimitCounts(server);
        Assert.Equal(201, (await server.PostAsync("/q/one", "1")).Status);
        Assert.Equal(200, (await server.PostAsync("/control/two", "status=stop")).Status);

        foreach (var (path, body) in new[] { ("/q/three", "3"), ("/q/three/batch", "[3]"), ("/p/three", "policy=roundrobin") })
        {
            var refused = await server.PostAsync(path, body);
            Assert.Equal((429, "too-many-queues"), (refused.Status, refused.Problem));
        }

        Assert.Equal(201, (await server.PostAsync("/q/two", "2")).Status);
        Assert.Equal(3, hits["queues"]);
        Assert.Equal(404, (await server.GetAsync("/j/three")).Status);
        Assert.Equal(204, (await server.SendAsync("DELETE", "/q/one")).Status);
        Assert.Equal(201, (await server.PostAsync("/q/three", "3")).Status);
    }

    [Fact]
    public async Task No_more_messages_than_allowed_over_all_queues_until_some_are_taken()
    {
        await using var server = await PushQueueServer.StartAsync(static options => options.Queues.MessagesMax = 3);
        using var hits = new LimitCounts(server);
        Assert.Equal(201, (await server.PostAsync("/q/one/batch", "[1,2]")).Status);
        Assert.Equal(201, (await server.PostAsync("/q/two?delay=1h", "3")).Status);

        var one = await server.PostAsync("/q/three", "4");
        var many = await server.PostAsync("/q/one/batch", "[4]");

        Assert.Equal((429, "server-full", "server-full"), (one.Status, one.Problem, many.Problem));
        Assert.Equal(2, hits["messages"]);
        Assert.Equal(200, (await server.GetAsync("/q/one")).Status);
        Assert.Equal(201, (await server.PostAsync("/q/three", "4")).Status);
        Assert.Equal("server-full", (await server.PostAsync("/q/three", "5")).Problem);
        Assert.Equal(204, (await server.SendAsync("DELETE", "/q/one")).Status);
        Assert.Equal(201, (await server.PostAsync("/q/three", "5")).Status);
    }

    [Fact]
    public async Task No_more_bytes_than_allowed_over_all_queues()
    {
        await using var server = await PushQueueServer.StartAsync(static options => options.Queues.BytesMax = 100);
        using var hits = new LimitCounts(server);
        Assert.Equal(201, (await server.PostAsync("/q/one", new string('a', 60))).Status);

        var refused = await server.PostAsync("/q/two", new string('b', 50));

        Assert.Equal((429, "server-full"), (refused.Status, refused.Problem));
        Assert.Equal(1, hits["bytes"]);
        Assert.Equal(201, (await server.PostAsync("/q/two", new string('b', 40))).Status);
    }

    [Fact]
    public async Task Copies_for_subscribers_count_as_messages_and_bytes_of_the_server()
    {
        await using var server = await PushQueueServer.StartAsync(static options =>
        {
            options.Queues.MessagesMax = 5;
            options.Queues.BytesMax = 1000;
        });
        foreach (var subscriber in new[] { "billing", "audit" })
        {
            await server.SendAsync("PATCH", $"/q/{subscriber}/settings", """{"subscriptions":["orders"]}""");
        }

        // Else its messages would go to history, and would no longer count.
        await server.SendAsync("PATCH", "/q/orders/settings", """{"policy":"roundrobin"}""");
        var large = await server.PostAsync("/q/orders", new string('a', 400));
        var first = await server.PostAsync("/q/orders", "1");
        var second = await server.PostAsync("/q/orders", "2");
        var batch = await server.PostAsync("/q/orders/batch", "[2]");

        Assert.Equal((429, "server-full"), (large.Status, large.Problem));
        Assert.Equal((201, 2), (first.Status, first.Json.GetProperty("copies").GetInt32()));
        Assert.Equal((429, "server-full", "server-full"), (second.Status, second.Problem, batch.Problem));
        Assert.Equal(201, (await server.PostAsync("/q/other/batch", "[3,4]")).Status);
        Assert.Equal("server-full", (await server.PostAsync("/q/other", "5")).Problem);
    }

    [Fact]
    public async Task A_batch_of_too_many_messages_is_refused_whichever_way_it_comes()
    {
        await using var server = await PushQueueServer.StartAsync(static options => options.Queues.BatchMessagesMax = 3);
        using var hits = new LimitCounts(server);

        var refused = new[]
        {
            await server.PostAsync("/q/test/batch", "[1,2,3,4]"),
            await server.PostAsync("/q/test/batch", "1\n2\n3\n4\n"),
            await server.PostAsync("/q/test/batch?envelope=true", """[{"body":1},{"body":1},{"body":1},{"body":1}]"""),
        };
        var command = await server.PostAsync("/queue", """{"cmd":"put","queue":"test","values":[1,2,3,4]}""");

        Assert.All(refused, static answer => Assert.Equal((413, "batch-too-large"), (answer.Status, answer.Problem)));
        Assert.Contains("batch-too-large", command.Text, StringComparison.Ordinal);
        Assert.Equal(4, hits["batch"]);
        Assert.Equal(204, (await server.GetAsync("/q/test")).Status);
        Assert.Equal(201, (await server.PostAsync("/q/test/batch", "[1,2,3]")).Status);
    }

    [Fact]
    public async Task No_more_takes_wait_than_allowed()
    {
        await using var server = await PushQueueServer.StartAsync(static options => options.Queues.WaitingTakesMax = 1);
        using var hits = new LimitCounts(server);
        var waiting = server.GetAsync("/q/test?wait=30");
        await Eventually.TrueAsync(
            async () => (await server.GetAsync("/stats")).Text.Contains("\"waitingTakes\":1", StringComparison.Ordinal), "a take waits");

        var refused = await server.GetAsync("/q/other?wait=30");
        await server.PostAsync("/q/test", "came");

        Assert.Equal((503, "too-many-waiting"), (refused.Status, refused.Problem));
        Assert.Equal(1, hits["waiting-takes"]);
        Assert.Equal("came", (await waiting).Text);
    }

    [Fact]
    public async Task A_socket_is_told_when_too_many_of_its_commands_wait_and_serves_on()
    {
        await using var server = await PushQueueServer.StartAsync(static options => options.Delivery.WaitingCommandsMax = 2);
        using var hits = new LimitCounts(server);
        using var socket = await ConnectAsync(server);
        for (var i = 1; i <= 3; i++)
        {
            await socket.SendAsync($$"""{"cmd":"take","queue":"test{{i}}","wait":30,"ref":{{i}}}""");
        }

        await socket.SendAsync("""{"cmd":"put","queue":"test1","value":7,"ref":"put"}""");
        var answers = new[] { await socket.NextAsync(), await socket.NextAsync(), await socket.NextAsync() };

        Assert.Single(answers, static answer => answer.StartsWith("""{"ref":3,"error":"too-many-waiting""", StringComparison.Ordinal));
        Assert.Single(answers, static answer => answer.StartsWith("""{"ref":"put","ok":true""", StringComparison.Ordinal));
        Assert.Single(answers, static answer => answer.StartsWith("""{"ref":1,"ok":true""", StringComparison.Ordinal));
        Assert.Equal(1, hits["waiting-commands"]);
    }

    [Fact]
    public async Task A_socket_has_no_more_subscriptions_and_sends_no_more_commands_than_allowed()
    {
        await using var server = await PushQueueServer.StartAsync(static options =>
        {
            options.Delivery.SubscriptionsPerConnectionMax = 1;
            options.Delivery.CommandsPerSecondMax = 3;
        });
        using var hits = new LimitCounts(server);
        using var first = await ConnectAsync(server);
        await first.SendAsync("""{"cmd":"subscribe","queue":"one","ref":1}""");
        await first.SendAsync("""{"cmd":"subscribe","queue":"two","ref":2}""");
        Assert.StartsWith("""{"ref":1,"ok":true""", await first.NextAsync(), StringComparison.Ordinal);
        Assert.StartsWith("""{"ref":2,"error":"too-many-subscriptions""", await first.NextAsync(), StringComparison.Ordinal);
        Assert.Equal(1, hits["subscriptions"]);

        using var second = await ConnectAsync(server);
        for (var i = 0; i < 100; i++)
        {
            await second.SendAsync("""{"cmd":"look","queue":"test","ref":9}""");
        }

        var refused = 0;
        for (var i = 0; i < 100; i++)
        {
            refused += (await second.NextAsync()).StartsWith("""{"ref":9,"error":"too-many-requests""", StringComparison.Ordinal) ? 1 : 0;
        }

        Assert.InRange(refused, 1, 97);
        Assert.Equal(refused, hits["commands"]);
    }

    [Theory]
    [InlineData("connections")]
    [InlineData("connections-per-address")]
    public async Task Connections_beyond_the_limit_are_told_and_a_place_is_given_back(string limit)
    {
        await using var server = await PushQueueServer.StartAsync(options =>
        {
            options.Connections.CountLoopback = true;
            options.Connections.ConnectionsMax = limit == "connections" ? 2 : 100;
            options.Connections.PerAddressMax = limit == "connections" ? 100 : 2;
        });
        using var hits = new LimitCounts(server);
        using var one = await ConnectAsync(server);
        using (await ConnectAsync(server))
        {
            var refused = await server.GetAsync("/q/test");
            Assert.Equal((429, "too-many-connections"), (refused.Status, refused.Problem));
            Assert.Equal(1, hits[limit]);
        }

        await Eventually.TrueAsync(async () => (await server.GetAsync("/q/test")).Status == 204, "the place is free");
    }

    [Fact]
    public async Task Headers_and_request_lines_beyond_the_limit_are_refused_and_counted()
    {
        await using var server = await PushQueueServer.StartAsync(static options => options.Connections.HeaderBytesMax = 2048);
        using var hits = new LimitCounts(server);

        var headers = await SendAsync(server, $"GET /q/test HTTP/1.1\r\nHost: localhost\r\nX: {new string('x', 3000)}\r\n\r\n");
        var line = await SendAsync(server, $"GET /q/{new string('x', 3000)} HTTP/1.1\r\nHost: localhost\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 431 ", headers, StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 414 ", line, StringComparison.Ordinal);

        await Eventually.TrueAsync(() => hits["header-bytes"] == 2, "both are counted");
    }

    [Theory]
    [InlineData("nonsense\r\n\r\n", 400)]
    [InlineData("GET /q/test HTTP/1.1\r\nHost: localhost\r\nbroken\r\n\r\n", 400)]
    [InlineData("GET /q/test HTTP/1.1\r\n\r\n", 400)]
    [InlineData("GET /q/test HTTP/3.0\r\nHost: localhost\r\n\r\n", 505)]
    [InlineData("POST /q/test HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n", 400)]
    public async Task Bytes_that_are_not_http_are_refused_by_the_web_server_and_nothing_else_suffers(string request, int status)
    {
        await using var server = await PushQueueServer.StartAsync();

        Assert.StartsWith($"HTTP/1.1 {status} ", await SendAsync(server, request), StringComparison.Ordinal);

        Assert.Equal(204, (await server.GetAsync("/q/test")).Status);
    }

    [Fact]
    public async Task A_body_whose_chunks_are_broken_is_answered_with_a_problem()
    {
        await using var server = await PushQueueServer.StartAsync();

        var answer = await SendAsync(server, "POST /q/test HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n");

        AssertProblem(answer, 400, "bad-request");
        Assert.Equal(204, (await server.GetAsync("/q/test")).Status);
    }

    [Fact]
    public async Task A_batch_or_a_message_of_too_many_bytes_is_refused_and_counted()
    {
        await using var server = await PushQueueServer.StartAsync(static options =>
        {
            options.Queues.BatchBytesMax = 2000;
            options.Queues.MessageBytesMax = 1000;
        });
        using var hits = new LimitCounts(server);
        using var chunked = new HttpRequestMessage(HttpMethod.Post, "/q/test/batch") { Content = new StringContent(
            new string('1', 900) + '\n' + new string('1', 900) + '\n' + new string('1', 900)) };
        chunked.Headers.TransferEncodingChunked = true;

        var batches = new[] { await server.PostAsync("/q/test/batch", new string(' ', 3000)), await server.SendAsync(chunked) };
        var messages = new[] { await server.PostAsync("/q/test", new string('x', 1001)),
            await server.PostAsync("/q/test/batch", $"\"{new string('x', 1001)}\"") };
        var command = await server.PostAsync("/queue", $$"""{"cmd":"put","queue":"test","value":"{{new string('x', 1001)}}"}""");

        Assert.All(batches, static answer => Assert.Equal((413, "batch-too-large"), (answer.Status, answer.Problem)));
        Assert.All(messages, static answer => Assert.Equal((413, "message-too-large"), (answer.Status, answer.Problem)));
        Assert.Contains("message-too-large", command.Text, StringComparison.Ordinal);
        Assert.Equal((2, 3), (hits["batch-bytes"], hits["message-bytes"]));
        Assert.Equal(204, (await server.GetAsync("/q/test")).Status);
    }

    [Theory]
    [InlineData("/ws")]
    [InlineData("/hub")]
    public async Task A_frame_beyond_the_limit_closes_its_socket_and_is_counted(string path)
    {
        await using var server = await PushQueueServer.StartAsync(static options => options.Delivery.FrameBytesMax = 2000);
        using var hits = new LimitCounts(server);
        using var socket = await ConnectAsync(server, path);
        if (path == "/hub")
        {
            await socket.SendAsync(HubSockets.Handshake);
            Assert.Equal("{}\u001e", await socket.NextAsync());
        }

        await socket.SendAsync(new string('x', 2001));

        var said = "";
        while (socket.State == WebSocketState.Open)
        {
            said += await socket.NextAsync();
        }

        Assert.Contains("1009", said, StringComparison.Ordinal);
        Assert.Equal(1, hits["frame-bytes"]);
    }

    [Fact]
    public async Task No_more_puts_wait_for_their_ack_than_allowed()
    {
        await using var server = await PushQueueServer.StartAsync(static options => options.Queues.WaitingPutsMax = 1);
        using var hits = new LimitCounts(server);
        var waiting = server.PostAsync("/q/test?waitForAck=30", "first");
        await Eventually.TrueAsync(async () => (await server.GetAsync("/j/test")).Status == 200, "the first is put");

        var refused = await server.PostAsync("/q/test?waitForAck=30", "second");
        await server.GetAsync("/q/test");

        Assert.Equal((503, "too-many-waiting"), (refused.Status, refused.Problem));
        Assert.Equal(1, hits["waiting-puts"]);
        Assert.Equal(200, (await waiting).Status);
    }

    [Fact]
    public async Task A_consumer_whose_buffer_is_full_is_counted()
    {
        await using var server = await PushQueueServer.StartAsync(static options => options.Delivery.BufferBytesMax = 64 * 1024);
        using var hits = new LimitCounts(server);
        using var client = new TcpClient { ReceiveBufferSize = 4096 };
        await client.ConnectAsync(IPAddress.Loopback, server.Address.Port).WithTimeout();
        await client.GetStream().WriteAsync("GET /c/test HTTP/1.1\r\nHost: localhost\r\n\r\n"u8.ToArray()).AsTask().WithTimeout();
        await Eventually.TrueAsync(
            async () => (await server.GetAsync("/q/test/consumers")).Text.Contains("\"id\"", StringComparison.Ordinal), "it listens");

        // More than the buffer and what the operating system keeps for a reader who reads nothing.
        await Eventually.TrueAsync(
            async () =>
            {
                await server.PostAsync("/q/test", new string('x', 500_000));
                return hits["buffer-bytes"] > 0;
            },
            "the buffer is full");
    }

    [Fact]
    public async Task A_body_that_comes_too_slowly_is_given_up()
    {
        await using var server = await PushQueueServer.StartAsync(static options =>
        {
            options.Connections.UploadBytesPerSecondMin = 1000;
            options.Connections.UploadGrace = TimeSpan.FromSeconds(1.5);
        });
        using var hits = new LimitCounts(server);

        var answer = await SendAsync(server, "POST /q/test HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nx");

        Assert.StartsWith("HTTP/1.1 408 ", answer, StringComparison.Ordinal);
        Assert.Contains("\"type\":\"request-timeout\"", answer, StringComparison.Ordinal);
        await Eventually.TrueAsync(() => hits["upload-bytes-per-second"] == 1, "it is counted");
        Assert.Equal(204, (await server.GetAsync("/q/test")).Status);
    }

    /// <summary>Sends bytes as they are and reads to the end of the connection.</summary>
    private static async Task<string> SendAsync(PushQueueServer server, string request)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, server.Address.Port).WithTimeout();
        await using var stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(request)).WithTimeout();
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return await reader.ReadToEndAsync().WithTimeout();
    }

    private static void AssertProblem(string answer, int status, string type)
    {
        Assert.StartsWith($"HTTP/1.1 {status} ", answer, StringComparison.Ordinal);
        Assert.Contains("Content-Type: application/problem+json\r\n", answer, StringComparison.Ordinal);
        Assert.Contains($"\"type\":\"{type}\"", answer, StringComparison.Ordinal);
        Assert.EndsWith("}", answer, StringComparison.Ordinal);
    }

    private static async Task<ClientWebSocket> ConnectAsync(PushQueueServer server, string path = "/ws")
    {
        var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri($"ws://{server.Address.Authority}{path}"), CancellationToken.None).WithTimeout();
        return socket;
    }
}
