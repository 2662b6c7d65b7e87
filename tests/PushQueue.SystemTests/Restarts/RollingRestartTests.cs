using System.Collections.Concurrent;
using System.Net;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using PushQueue.SystemTests.Support;
using Xunit;

namespace PushQueue.SystemTests.Restarts;

/// <summary>Stops the server in the orderly way, again and again, while producers put and workers ack, and holds it to its word.</summary>
public sealed class RollingRestartTests
{
    private const int Restarts = 3;
    private const int Producers = 4;
    private const int Workers = 2;

    private readonly ConcurrentDictionary<string, byte> _put = new();
    private readonly ConcurrentDictionary<string, byte> _done = new();
    private readonly SemaphoreSlim _progress = new(0);
    private volatile ServerProcess _server = null!;
    private volatile bool _stopping;

    [Fact]
    public async Task Orderly_restarts_under_load_lose_nothing()
    {
        using var data = new TemporaryDirectory();
        _server = await ServerProcess.StartAsync(data.Path);
        using var policy = await _server.Client.PostAsync(
            "/p/load",
            new StringContent("""{"policy":"roundrobin"}""", Encoding.UTF8, "application/json"));
        policy.EnsureSuccessStatusCode();
        using var end = new CancellationTokenSource();
        var workers = Enumerable.Range(0, Workers).Select(_ => WorkAsync(end.Token)).ToArray();
        var producers = Enumerable.Range(0, Producers).Select(ProduceAsync).ToArray();

        for (var i = 0; i < Restarts; i++)
        {
            await ProgressAsync(200);
            Assert.Equal(0, await _server.StopAsync());
            Assert.Equal("", _server.Errors.Trim());
            await _server.DisposeAsync();
            _server = await ServerProcess.StartAsync(data.Path);
        }

        await ProgressAsync(200);
        _stopping = true;
        await Task.WhenAll(producers);
        while (_put.Keys.Any(id => !_done.ContainsKey(id)))
        {
            await ProgressAsync(1);
        }

        await end.CancelAsync();
        await Task.WhenAll(workers);
        Assert.DoesNotContain("load.dead", await _server.Client.GetStringAsync("/q"), StringComparison.Ordinal);
        await _server.DisposeAsync();
    }

    private async Task ProgressAsync(int messages)
    {
        for (var i = 0; i < messages; i++)
        {
            Assert.True(await _progress.WaitAsync(TimeSpan.FromSeconds(30)), $"Lost: {string.Join(' ', _put.Keys.Except(_done.Keys))}");
        }
    }

    /// <summary>Puts every message under an id of its own until it is stored, whichever server answers.</summary>
    private async Task ProduceAsync(int number)
    {
        using var client = new HttpClient();
        for (var i = 0; !_stopping; i++)
        {
            var id = $"{number}-{i}";
            while (!await TryPutAsync(client, id))
            {
                await Task.Yield();
            }

            _put[id] = 0;
        }
    }

    private async Task<bool> TryPutAsync(HttpClient client, string id)
    {
        try
        {
            using var answer = await client.PostAsync(new Uri(_server.Address, $"/q/load?id={id}"), new StringContent(id));
            return answer.StatusCode is HttpStatusCode.Created or HttpStatusCode.OK;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    /// <summary>Takes messages from a stream and acks them; connects again when it ends.</summary>
    private async Task WorkAsync(CancellationToken end)
    {
        while (!end.IsCancellationRequested)
        {
            try
            {
                using var socket = new ClientWebSocket();
                await socket.ConnectAsync(new Uri($"ws://{_server.Address.Authority}/ws/load?ack=manual"), end);
                await AckAllAsync(socket, end);
            }
            catch (Exception e) when (e is WebSocketException or OperationCanceledException or HttpRequestException)
            {
                // The server stops, or the test is over.
                await Task.Yield();
            }
        }
    }

    private async Task AckAllAsync(ClientWebSocket socket, CancellationToken end)
    {
        var buffer = new byte[64 * 1024];
        while (await socket.ReceiveAsync(buffer, end) is { MessageType: WebSocketMessageType.Text } received)
        {
            using var json = JsonDocument.Parse(buffer.AsMemory(0, received.Count));
            if (json.RootElement.TryGetProperty("receipt", out var receipt))
            {
                var ack =
                    $$"""{"cmd":"ack","queue":"load","id":"{{json.RootElement.GetProperty("id")}}","receipt":"{{receipt}}","ref":1}""";
                await socket.SendAsync(Encoding.UTF8.GetBytes(ack), WebSocketMessageType.Text, endOfMessage: true, end);
                _done[json.RootElement.GetProperty("body").GetString()!] = 0;
                _progress.Release();
            }
        }

        Assert.Contains("reconnectMs", socket.CloseStatusDescription, StringComparison.Ordinal);
    }
}
