using System.Collections.Concurrent;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;

namespace PushQueue.SystemTests.History.Links;

/// <summary>A WebSocket: messages and the answers to commands come over the same connection.</summary>
internal sealed class SocketLink(Uri address, HttpClient http) : StreamLink(address, http)
{
    private readonly ClientWebSocket _socket = new();
    private readonly SemaphoreSlim _sending = new(1, 1);
    private readonly ConcurrentDictionary<int, TaskCompletionSource<JsonElement>> _asked = new();
    private int _references;
    private volatile bool _ended;

    public override async Task<bool?> SettleAsync(string word, string queue, string id, string receipt)
    {
        if (await AskAsync($$"""{"cmd":"{{word}}","queue":"{{queue}}","id":"{{id}}","receipt":"{{receipt}}",""") is not { } answer)
        {
            return null;
        }

        return answer.TryGetProperty("ok", out _)
            ? true
            : answer.GetProperty("error").GetString() is "lease-lost" or "not-found"
            ? false
            : null;
    }

    public async Task ConnectAsync(string path, CancellationToken cancellationToken)
    {
        // Nothing unasked: unread data on the server's side would turn the end of its process into a reset.
        _socket.Options.KeepAliveInterval = TimeSpan.Zero;
        await _socket.ConnectAsync(new Uri($"ws://{Address.Authority}{path}"), cancellationToken);
    }

    /// <summary>Sends a command, given without its last field, and waits for the answer; null where the connection ended first.</summary>
    public async Task<JsonElement?> AskAsync(string command)
    {
        var reference = Interlocked.Increment(ref _references);
        var answered = new TaskCompletionSource<JsonElement>(TaskCreationOptions.RunContinuationsAsynchronously);
        _asked[reference] = answered;
        if (_ended)
        {
            return null;
        }

        try
        {
            await _sending.WaitAsync();
            try
            {
                await _socket.SendAsync(
                    Encoding.UTF8.GetBytes($"{command}\"ref\":{reference}}}"),
                    WebSocketMessageType.Text,
                    true,
                    CancellationToken.None);
            }
            finally
            {
                _sending.Release();
            }

            return await answered.Task;
        }
        catch (Exception e) when (IsEnd(e))
        {
            return null;
        }
    }

    public override ValueTask DisposeAsync()
    {
        _socket.Abort();
        _socket.Dispose();
        EndAll();
        return ValueTask.CompletedTask;
    }

    /// <summary>Reads until the connection ends; answers go to who asked, messages are given.</summary>
    public async IAsyncEnumerable<Received> ReceiveAsync(
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var buffer = new byte[256 * 1024];
        try
        {
            while (true)
            {
                var length = 0;
                ValueWebSocketReceiveResult part;
                do
                {
                    part = await _socket.ReceiveAsync(buffer.AsMemory(length), cancellationToken);
                    length += part.Count;
                }
                while (!part.EndOfMessage && part.MessageType != WebSocketMessageType.Close);

                if (part.MessageType == WebSocketMessageType.Close)
                {
                    yield break;
                }

                var json = Parse(buffer.AsSpan(0, length));
                if (json.TryGetProperty("ref", out var reference))
                {
                    if (_asked.TryRemove(reference.GetInt32(), out var asked))
                    {
                        asked.TrySetResult(json);
                    }
                }
                else
                {
                    yield return new Received(json);
                }
            }
        }
        finally
        {
            EndAll();
        }
    }

    protected override async IAsyncEnumerable<Received> OpenAsync(
        string queue, string options, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await ConnectAsync(PathOf("ws", queue, options), cancellationToken);
        await foreach (var received in ReceiveAsync(cancellationToken))
        {
            yield return received;
        }
    }

    private void EndAll()
    {
        _ended = true;
        foreach (var (reference, asked) in _asked)
        {
            _ = _asked.TryRemove(reference, out _);
            asked.TrySetCanceled();
        }
    }
}
