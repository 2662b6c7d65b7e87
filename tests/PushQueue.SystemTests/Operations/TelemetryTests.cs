using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using PushQueue.SystemTests.Support;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.SystemTests.Operations;

public sealed class TelemetryTests : IDisposable
{
    private const string TraceId = "0af7651916cd43dd8448eb211c80319c";
    private const string ClientSpan = "b7ad6b7169203331";
    private const string TraceParent = $"00-{TraceId}-{ClientSpan}-01";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly TemporaryDirectory _data = new();

    public void Dispose() => _data.Dispose();

    [Fact]
    public async Task A_collector_gets_the_metrics_and_the_linked_spans_of_put_lease_push_and_ack()
    {
        await using var collector = await Collector.StartAsync();
        await using var server = await ServerProcess.StartAsync(_data.Path, "--otlp", collector.Address);
        await PutOneAsync(server, "work");
        using var lease = await server.Client.GetAsync("/q/work?ttr=60");
        var receipt = lease.Headers.GetValues("PushQueue-Receipt").Single();
        using var ack = await server.Client.PostAsync($"/q/work/messages/1/ack?receipt={receipt}", content: null);
        using var stream = await server.Client.GetAsync("/c/news", HttpCompletionOption.ResponseHeadersRead);
        await PutOneAsync(server, "news");
        using var lines = new StreamLines(await stream.Content.ReadAsStreamAsync());
        await lines.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(30));

        // The end of the server sends what it has.
        Assert.Equal(0, await server.StopAsync());

        var put = collector.Spans.Single(static span => span.Name == "put work");
        var given = collector.Spans.Single(static span => span.Name == "lease work");
        var acked = collector.Spans.Single(static span => span.Name == "ack work");
        var pushed = collector.Spans.Single(static span => span.Name == "push news");
        Assert.All([put, given, acked, pushed], static span => Assert.Equal(TraceId, span.Trace));
        Assert.Equal(ClientSpan, collector.Spans.Single(span => span.Id == put.Parent).Parent);
        Assert.Equal(put.Id, given.Parent);
        Assert.Equal(given.Id, acked.Parent);
        Assert.Contains(given.Id, acked.Links);
        Assert.Equal(collector.Spans.Single(static span => span.Name == "put news").Id, pushed.Parent);
        Assert.Equal($"00-{TraceId}-{put.Id}-01", lease.Headers.GetValues("traceparent").Single());
        Assert.Superset(
            new HashSet<string>(
                ["pushqueue.messages.put", "pushqueue.messages.acked", "pushqueue.messages.delivered", "pushqueue.store.flush.duration"],
                StringComparer.Ordinal),
            new HashSet<string>(collector.Metrics, StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("batch")]
    [InlineData("batch header")]
    [InlineData("command")]
    [InlineData("command header")]
    [InlineData("socket")]
    [InlineData("hub")]
    public async Task However_a_message_is_put_its_put_its_delivery_and_its_ack_are_one_trace(string way)
    {
        await using var collector = await Collector.StartAsync();
        await using var server = await ServerProcess.StartAsync(_data.Path, "--otlp", collector.Address);
        using var policy = await server.Client.PostAsync("/p/work", new StringContent("policy=roundrobin"));
        using var socket = await ConnectAsync(server, "/ws");
        await SayAsync(socket, """{"cmd":"subscribe","queue":"work","ack":"manual"}""");

        await PutAsync(server, way);

        using var message = JsonDocument.Parse(await HearAsync(socket, "\"body\""));
        var (id, receipt) = (message.RootElement.GetProperty("id").GetString(), message.RootElement.GetProperty("receipt").GetString());
        Assert.StartsWith($"00-{TraceId}-", message.RootElement.GetProperty("traceparent").GetString(), StringComparison.Ordinal);
        await SayAsync(socket, $$"""{"cmd":"ack","queue":"work","id":"{{id}}","receipt":"{{receipt}}","ref":"acked"}""");
        await HearAsync(socket, "acked");
        Assert.Equal(0, await server.StopAsync());

        var put = collector.Spans.Single(static span => span.Name == "put work");
        var pushed = collector.Spans.Single(static span => span.Name == "push work");
        var acked = collector.Spans.Single(static span => span.Name == "ack work");
        Assert.All([put, pushed, acked], static span => Assert.Equal(TraceId, span.Trace));
        Assert.Equal((put.Id, pushed.Id), (pushed.Parent, acked.Parent));
        Assert.Contains(pushed.Id, acked.Links);
        if (!way.EndsWith("header", StringComparison.Ordinal))
        {
            // In the producer's own trace, and linked to the request that carried it; a call of the hub has none of its own.
            Assert.Equal(ClientSpan, put.Parent);
            Assert.Equal(way == "hub" ? 0 : 1, put.Links.Count);
        }
    }

    [Fact]
    public async Task A_collector_that_is_not_there_holds_nothing_up()
    {
        await using var server = await ServerProcess.StartAsync(_data.Path, "--otlp", "http://127.0.0.1:9");

        await PutOneAsync(server, "work");

        Assert.Equal(0, await server.StopAsync());
    }

    [Fact]
    public async Task A_wrong_address_is_told_with_its_switch()
    {
        var (exitCode, output) = await ServerProcess.RunAsync("--otlp", "collector", "--metrics-queues", "many", "--data", _data.Path);

        Assert.Equal(2, exitCode);
        Assert.Contains("--otlp", output, StringComparison.Ordinal);
        Assert.Contains("--metrics-queues", output, StringComparison.Ordinal);
    }

    private static Task PutOneAsync(ServerProcess server, string queue) => PostAsync(server, $"/q/{queue}", "x", header: true);

    private static async Task PutAsync(ServerProcess server, string way)
    {
        const string Mine = $"\"traceparent\":\"{TraceParent}\"";
        switch (way)
        {
            case "batch":
                await PostAsync(server, "/q/work/batch?envelope=true", $$"""{"body":1,{{Mine}}}""", header: false);
                break;
            case "batch header":
                await PostAsync(server, "/q/work/batch", "1", header: true);
                break;
            case "command":
                await PostAsync(server, "/queue", $$"""{"cmd":"put","queue":"work","value":1,{{Mine}}}""", header: false);
                break;
            case "command header":
                await PostAsync(server, "/queue", """{"cmd":"put","queue":"work","value":1}""", header: true);
                break;
            case "socket":
                using (var socket = await ConnectAsync(server, "/ws"))
                {
                    await SayAsync(socket, $$"""{"cmd":"put","queue":"work","value":1,{{Mine}}}""");
                    await HearAsync(socket, "\"ok\":true");
                }

                break;
            default:
                using (var hub = await ConnectAsync(server, "/hub"))
                {
                    await SayAsync(hub, "{\"protocol\":\"json\",\"version\":1}\u001e");
                    await SayAsync(hub, $$"""{"type":1,"invocationId":"1","target":"Put","arguments":["work",1,{{{Mine}}}]}""" + "\u001e");
                    await HearAsync(hub, "\"ok\":true");
                }

                break;
        }
    }

    private static async Task PostAsync(ServerProcess server, string path, string body, bool header)
    {
        using var put = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body) };
        if (header)
        {
            put.Headers.Add("traceparent", TraceParent);
        }

        using var answer = await server.Client.SendAsync(put);
        answer.EnsureSuccessStatusCode();
    }

    private static async Task<ClientWebSocket> ConnectAsync(ServerProcess server, string path)
    {
        var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri($"ws://{server.Address.Authority}{path}"), CancellationToken.None).WaitAsync(Patience);
        return socket;
    }

    private static Task SayAsync(ClientWebSocket socket, string text) =>
        socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);

    /// <summary>The first frame that holds this text.</summary>
    private static async Task<string> HearAsync(ClientWebSocket socket, string text)
    {
        var buffer = new byte[4096];
        while (true)
        {
            var result = await socket.ReceiveAsync(buffer, CancellationToken.None).WaitAsync(Patience);
            Assert.Equal(WebSocketMessageType.Text, result.MessageType);
            if (Encoding.UTF8.GetString(buffer, 0, result.Count) is var frame && frame.Contains(text, StringComparison.Ordinal))
            {
                return frame;
            }
        }
    }
}
