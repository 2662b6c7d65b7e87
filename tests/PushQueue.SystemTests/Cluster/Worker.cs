using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using PushQueue.Tests.Support;

namespace PushQueue.SystemTests.Cluster;

/// <summary>A WebSocket that consumes one queue at one node; acks when it is told to.</summary>
internal sealed class Worker : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly ClientWebSocket _socket = new();
    private readonly List<JsonElement> _messages = [];
    private readonly bool _acks;
    private Task _reading = Task.CompletedTask;

    private Worker(bool acks)
    {
        _acks = acks;
    }

    public List<JsonElement> Messages
    {
        get
        {
            lock (_gate)
            {
                return [.. _messages];
            }
        }
    }

    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _messages.Count;
            }
        }
    }

    public static async Task<Worker> ConnectAsync(Uri node, string queue, string options = "", bool acks = false)
    {
        var worker = new Worker(acks);
        await worker._socket.ConnectAsync(new Uri($"ws://{node.Authority}/ws/{queue}{options}"), CancellationToken.None)
            .WaitAsync(TimeSpan.FromSeconds(30));
        worker._reading = worker.ReadAsync(queue);
        return worker;
    }

    public async Task<JsonElement> GotAsync(string body)
    {
        await Eventually.TrueAsync(() => Messages.Exists(message => message.GetProperty("body").GetString() == body), $"{body} came");
        return Messages.Last(message => message.GetProperty("body").GetString() == body);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _reading;
        _socket.Dispose();
        _stopping.Dispose();
    }

    private async Task ReadAsync(string queue)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (true)
            {
                var length = 0;
                ValueWebSocketReceiveResult part;
                do
                {
                    part = await _socket.ReceiveAsync(buffer.AsMemory(length), _stopping.Token);
                    length += part.Count;
                }
                while (!part.EndOfMessage);

                if (part.MessageType == WebSocketMessageType.Close)
                {
                    return;
                }

                var json = JsonDocument.Parse(Encoding.UTF8.GetString(buffer, 0, length)).RootElement;
                if (json.TryGetProperty("body", out _))
                {
                    await TakeAsync(queue, json);
                }
            }
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException)
        {
            // The node is gone, or the test is over.
        }
    }

    private async Task TakeAsync(string queue, JsonElement message)
    {
        lock (_gate)
        {
            _messages.Add(message);
        }

        if (_acks)
        {
            var ack =
                $$"""{"cmd":"ack","queue":"{{queue}}","id":"{{message.GetProperty("id")}}","receipt":"{{message.GetProperty(
                    "receipt")}}"}""";
            await _socket.SendAsync(Encoding.UTF8.GetBytes(ack), WebSocketMessageType.Text, endOfMessage: true, _stopping.Token);
        }
    }
}
