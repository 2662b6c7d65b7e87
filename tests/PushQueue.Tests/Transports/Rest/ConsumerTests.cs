using System.Net.WebSockets;
using System.Text.Json;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Transports.Rest;

/// <summary>The lists of consumers, and the counters of workers.</summary>
public sealed class ConsumerTests : IAsyncLifetime
{
    private PushQueueServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await PushQueueServer.StartAsync();
        await _server.PostAsync("/p/test", """{"policy":"roundrobin"}""", "application/json");
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task A_consumer_is_listed_with_what_it_does_and_can_be_disconnected()
    {
        using var socket = await ConnectAsync("/ws/test?ack=manual&prefetch=5&worker=w");
        await _server.PostAsync("/q/test/batch", "1\n2\n3", "application/x-ndjson");
        var first = JsonDocument.Parse(await socket.NextAsync()).RootElement;
        var second = JsonDocument.Parse(await socket.NextAsync()).RootElement;
        _ = await socket.NextAsync();
        await socket.SendAsync(Settle("ack", first));
        _ = await socket.NextAsync();
        await _server.PostAsync("/control/test", """{"status":"stop"}""", "application/json");
        await socket.SendAsync(Settle("release", second));
        _ = await socket.NextAsync();

        var consumer = Assert.Single(
            (await _server.GetAsync("/q/test/consumers")).Json.GetProperty("consumers").EnumerateArray().ToArray());
        Assert.Equal(
            ("websocket", "w", "manual", 5, 1, 3, 1, 1),
            (
                Text("transport"),
                Text("worker"),
                Text("ack"),
                Number("prefetch"),
                Number("inFlight"),
                Number("delivered"),
                Number("acked"),
                Number("failed")));
        Assert.Equal("127.0.0.1", Text("remoteAddress"));
        Assert.Equal(1, (await _server.GetAsync("/j/test")).Json.GetProperty("consumers").GetInt32());
        Assert.Equal(1, (await _server.GetAsync("/q")).Json.GetProperty("queues")[0].GetProperty("consumers").GetInt32());
        var workers = (await _server.GetAsync("/w")).Json;
        Assert.Equal(
            (1, 1),
            (
                workers.GetProperty("workers")[0].GetProperty("processed").GetInt32(),
                workers.GetProperty("workers")[0].GetProperty("failed").GetInt32()));
        Assert.Equal(Number("id"), workers.GetProperty("consumers")[0].GetProperty("id").GetInt32());

        Assert.Equal(204, (await _server.SendAsync("DELETE", $"/q/test/consumers/{Number("id")}")).Status);
        Assert.StartsWith("close 4006", await socket.NextAsync(), StringComparison.Ordinal);
        Assert.Equal(404, (await _server.SendAsync("DELETE", "/q/test/consumers/999")).Status);

        string? Text(string name) => consumer.GetProperty(name).GetString();
        int Number(string name) => consumer.GetProperty(name).GetInt32();
    }

    [Fact]
    public async Task A_lease_that_runs_out_is_a_failure_of_its_worker_whichever_way_it_was_taken()
    {
        await _server.PostAsync("/q/test", "work");
        await _server.GetAsync("/q/test?ttr=100ms&worker=rest");
        await Eventually.TrueAsync(async () => await FailedAsync("rest") == 1, "the REST lease ran out");

        using var socket = await ConnectAsync("/ws/test?ack=manual&ttr=100ms&worker=stream");
        _ = await socket.NextAsync();
        await Eventually.TrueAsync(async () => await FailedAsync("stream") >= 1, "the stream's lease ran out");
    }

    private async Task<int> FailedAsync(string worker) =>
        (await _server.GetAsync("/w")).Json.GetProperty("workers").EnumerateArray()
        .Where(entry => entry.GetProperty("worker").GetString() == worker)
        .Sum(entry => entry.GetProperty("failed").GetInt32());

    private async Task<ClientWebSocket> ConnectAsync(string path)
    {
        var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri($"ws://{_server.Address.Authority}{path}"), CancellationToken.None);
        return socket;
    }

    private static string Settle(string command, JsonElement message) =>
        $$"""{"cmd":"{{command}}","queue":"test","id":"{{message.GetProperty("id")
            .GetString()}}","receipt":"{{message.GetProperty("receipt").GetString()}}"}""";
}
