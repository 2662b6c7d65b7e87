using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using PushQueue.SystemTests.Support;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.SystemTests.Cluster;

/// <summary>Broadcast over nodes that are processes of their own.</summary>
public sealed class ClusterBroadcastTests
{
    private const string Queue = "news";

    [Fact]
    public async Task A_broadcast_put_at_any_node_reaches_the_consumers_of_every_node_and_transport_in_one_order()
    {
        await using var cluster = await ClusterFixture.StartAsync(nodes: 3);
        await using var first = await EventStream.OpenAsync(Queue, null, cluster.Addresses[0]);
        await using var second = await EventStream.OpenAsync(Queue, null, cluster.Addresses[1]);
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri($"ws://{cluster.Addresses[2].Authority}/ws/{Queue}"), CancellationToken.None);
        await using var comet = await cluster.Nodes[1].Client.GetStreamAsync($"/c/{Queue}");
        using var lines = new StreamLines(comet);
        await using var producer = new SteadyProducer(Queue, cluster.Addresses);

        await first.GotAsync(300);
        var stored = await producer.StopAsync();

        await StreamCheck.GotAllAsync(first, stored);
        await StreamCheck.GotAllAsync(second, stored);
        Assert.Equal(StreamCheck.Numbers(stored), await ReadAsync(stored, () => NextLineAsync(lines)));
        Assert.Equal(StreamCheck.Numbers(stored), await ReadAsync(stored, () => NextFrameAsync(socket)));
    }

    [Fact]
    public async Task A_stream_that_breaks_goes_on_at_another_node_without_loss()
    {
        await using var cluster = await ClusterFixture.StartAsync();
        await using var producer = new SteadyProducer(Queue, cluster.Addresses[1]);
        await using var stream = await EventStream.OpenAsync(Queue, null, cluster.Addresses);
        await stream.GotAsync(100);
        var first = int.Parse(stream.Bodies[0]);

        // In the orderly way: the stream is told to connect elsewhere.
        Assert.Equal(0, await cluster.Nodes[0].StopAsync());
        await stream.GotAsync(stream.Bodies.Count + 200);
        var stored = await producer.StopAsync();

        await stream.GotAsync($"{stored}");
        Assert.Empty(stream.Gaps);
        Assert.Equal(StreamCheck.Numbers(stored).Skip(first - 1), stream.Bodies);
        Assert.True(stream.Connections > 1);
    }

    [Fact]
    public async Task A_node_that_is_killed_in_the_middle_takes_nothing_with_it()
    {
        await using var cluster = await ClusterFixture.StartAsync();
        await cluster.SetAsync(Queue, """{"dedupWindow":"10m"}""");
        await using var moving = await EventStream.OpenAsync(Queue, null, cluster.Addresses);
        await using var staying = await EventStream.OpenAsync(Queue, null, cluster.Addresses[1]);
        await using var producer = new SteadyProducer(Queue, cluster.Addresses);
        await staying.GotAsync(200);

        await cluster.Nodes[0].KillAsync();
        await staying.GotAsync(staying.Bodies.Count + 200);
        var stored = await producer.StopAsync();

        await StreamCheck.GotAllAsync(staying, stored);
        await StreamCheck.GotAllAsync(moving, stored);
    }

    [Fact]
    public async Task The_signalr_client_for_javascript_gets_at_one_node_what_was_put_at_another()
    {
        var example = Repository.PathOf("examples", "wordcount");
        Assert.SkipUnless(
            Directory.Exists(Path.Combine(example, "node_modules")) && await ToolProcess.ExistsAsync("node"),
            "Run npm ci in examples/wordcount first, as ./test.sh does.");
        await using var cluster = await ClusterFixture.StartAsync();
        using var script = new TemporaryDirectory();
        var file = Path.Combine(script.Path, "subscribe.cjs");
        await File.WriteAllTextAsync(file, """
            const signalR = require(process.argv[2] + '/node_modules/@microsoft/signalr');
            const [here, there] = process.argv.slice(3);
            const connection = new signalR.HubConnectionBuilder()
              .withUrl(here + 'hub', { skipNegotiation: true, transport: signalR.HttpTransportType.WebSockets }).build();
            const got = [];
            connection.on('message', async message => {
              got.push(message.body);
              if (got.length === 3) { console.log(got.join(' ')); await connection.stop(); }
            });
            connection.start().then(() => connection.invoke('Subscribe', 'news')).then(async () => {
              for (const body of ['a', 'b', 'c'])
                await fetch(there + 'q/news', { method: 'POST', body, headers: { 'Content-Type': 'text/plain' } });
            });
            """);

        var (exitCode, output) = await ToolProcess.RunAsync(
            TimeSpan.FromSeconds(60), script.Path,
            "node", file, example, cluster.Addresses[0].AbsoluteUri, cluster.Addresses[1].AbsoluteUri);

        Assert.Equal(0, exitCode);
        Assert.Contains("a b c", output, StringComparison.Ordinal);
    }

    /// <summary>The bodies of the next messages. A stream begins with an event that has its cursor and no body.</summary>
    private static async Task<List<string>> ReadAsync(int count, Func<Task<JsonElement>> next)
    {
        var bodies = new List<string>();
        while (bodies.Count < count)
        {
            if ((await next().WaitAsync(TimeSpan.FromSeconds(30))).TryGetProperty("body", out var body))
            {
                bodies.Add(body.GetString()!);
            }
        }

        return bodies;
    }

    private static async Task<JsonElement> NextLineAsync(StreamLines lines)
    {
        var line = string.Empty;
        while (line.Length == 0)
        {
            line = await lines.ReadLineAsync();
            Assert.NotNull(line);
        }

        return JsonDocument.Parse(line).RootElement;
    }

    private static async Task<JsonElement> NextFrameAsync(ClientWebSocket socket)
    {
        var buffer = new byte[4096];
        var frame = await socket.ReceiveAsync(buffer, CancellationToken.None);
        return JsonDocument.Parse(Encoding.UTF8.GetString(buffer, 0, frame.Count)).RootElement;
    }
}
