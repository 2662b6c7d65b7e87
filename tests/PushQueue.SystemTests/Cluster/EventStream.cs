using System.Text.Json;
using PushQueue.Tests.Support;

namespace PushQueue.SystemTests.Cluster;

/// <summary>
/// A browser's EventSource over many nodes: reads server-sent events, remembers what came, and where its connection ends goes on at the
/// next node with the last id that it has seen.
/// </summary>
internal sealed class EventStream : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly HttpClient _http = new() { Timeout = Timeout.InfiniteTimeSpan };
    private readonly List<string> _bodies = [];
    private readonly List<string> _gaps = [];
    private readonly Uri[] _nodes;
    private readonly string _path;
    private readonly TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private string? _lastId;
    private Task _reading = Task.CompletedTask;
    private int _connections;

    private EventStream(Uri[] nodes, string queue)
    {
        _nodes = nodes;
        _path = $"/sse/{queue}";
    }

    /// <summary>The messages' bodies as they came.</summary>
    public List<string> Bodies => Copy(_bodies);

    /// <summary>The causes of the gaps that were told.</summary>
    public List<string> Gaps => Copy(_gaps);

    public string? LastId
    {
        get
        {
            lock (_gate)
            {
                return _lastId;
            }
        }
    }

    public int Connections => Volatile.Read(ref _connections);

    /// <summary>Opens a stream; returns once the first node has taken it.</summary>
    public static async Task<EventStream> OpenAsync(string queue, string? lastId, params Uri[] nodes)
    {
        var stream = new EventStream(nodes, queue) { _lastId = lastId };
        stream._reading = stream.RunAsync();
        await stream._open.Task.WaitAsync(TimeSpan.FromSeconds(30));
        return stream;
    }

    public Task GotAsync(int messages) =>
        Eventually.TrueAsync(() => Bodies.Count >= messages, $"{messages} messages came; {Bodies.Count} have");

    public Task GotAsync(string body) =>
        Eventually.TrueAsync(() => Bodies.Contains(body), $"{body} came; {Bodies.Count} have, gaps: {string.Join(' ', Gaps)}");

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _reading;
        _http.Dispose();
        _stopping.Dispose();
    }

    private async Task RunAsync()
    {
        for (var turn = 0; !_stopping.IsCancellationRequested; turn++)
        {
            try
            {
                await ReadAsync(_nodes[turn % _nodes.Length]);
            }
            catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
            {
                // The node is gone or cannot serve: another one can, or this one later.
                await Task.WhenAny(Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, _stopping.Token));
            }
        }
    }

    private async Task ReadAsync(Uri node)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(node, _path));
        if (LastId is { } id)
        {
            request.Headers.Add("Last-Event-ID", id);
        }

        using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, _stopping.Token);
        _ = response.EnsureSuccessStatusCode();
        _ = Interlocked.Increment(ref _connections);
        _ = _open.TrySetResult();
        using var reader = new StreamLines(await response.Content.ReadAsStreamAsync(_stopping.Token));
        string? pendingId = null;
        while (await reader.ReadLineAsync(_stopping.Token) is { } line)
        {
            if (line.StartsWith("id: ", StringComparison.Ordinal))
            {
                pendingId = line[4..];
            }
            else if (line.StartsWith("data: ", StringComparison.Ordinal))
            {
                Read(JsonDocument.Parse(line[6..]).RootElement, pendingId);
                pendingId = null;
            }
        }
    }

    private void Read(JsonElement json, string? id)
    {
        lock (_gate)
        {
            if (!json.TryGetProperty("event", out var name))
            {
                _bodies.Add(json.GetProperty("body").GetString()!);
                _lastId = id ?? _lastId;
            }
            else if (name.GetString() == "gap")
            {
                _gaps.Add(json.GetProperty("cause").GetString()!);
            }
        }
    }

    private List<string> Copy(List<string> list)
    {
        lock (_gate)
        {
            return [.. list];
        }
    }
}
