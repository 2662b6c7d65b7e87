using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Xunit;

namespace PushQueue.Tests.Support;

/// <summary>
/// A client of a stream over many queues, over any transport. Follows the rule of docs/protocol.md: it keeps the last cursor and the last
/// offset of each queue, and after a reconnect passes over what it has seen.
/// </summary>
internal sealed class ManyStream : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Queue<JsonElement> _read = new();
    private readonly Dictionary<string, long> _seen = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _epochs = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _closing = new();
    private HttpResponseMessage? _response;
    private StreamReader? _lines;
    private WebSocket? _socket;
    private bool _isHub;
    private bool _isEvents;
    private bool _isBehind;

    private ManyStream(ManyStream? before)
    {
        Cursor = before?.Cursor;
        foreach (var (queue, offset) in before?._seen ?? [])
        {
            _seen[queue] = offset;
        }

        foreach (var (queue, epoch) in before?._epochs ?? [])
        {
            _epochs[queue] = epoch;
        }
    }

    /// <summary>All transports.</summary>
    public static TheoryData<string> Transports => ["sse", "c", "ws", "command", "hub", "consume", "packed hub", "packed consume"];

    /// <summary>The last cursor.</summary>
    public string? Cursor { get; private set; }

    /// <summary>The queues with which the stream began.</summary>
    public IReadOnlyList<string> Queues { get; private set; } = [];

    /// <param name="server">The server.</param>
    /// <param name="transport">One of <see cref="Transports"/>.</param>
    /// <param name="query">As in a URL: <c>queue=a&amp;match=b.*&amp;ack=manual</c>.</param>
    /// <param name="after">The stream whose place this one takes.</param>
    /// <param name="key">The access key.</param>
    public static async Task<ManyStream> OpenAsync(
        PushQueueServer server, string transport, string query, ManyStream? after = null, string? key = null)
    {
        var stream = new ManyStream(after);
        if (transport is "sse" or "c")
        {
            stream._isEvents = transport == "sse";
            using var request = new HttpRequestMessage(HttpMethod.Get, $"/{transport}?{query}");
            _ = after?.Cursor is null || request.Headers.TryAddWithoutValidation("Last-Event-ID", after.Cursor);
            _ = key is null || request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {key}");
            stream._response = await server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).WithTimeout();
            Assert.True(
                stream._response.IsSuccessStatusCode, stream._response.IsSuccessStatusCode
                    ? ""
                    : await stream._response.Content.ReadAsStringAsync());
            stream._lines = new StreamReader(await stream._response.Content.ReadAsStreamAsync());
            await stream.ReadOpeningAsync();
            return stream;
        }

        var packed = transport.StartsWith("packed ", StringComparison.Ordinal);
        transport = packed ? transport["packed ".Length..] : transport;
        stream._isHub = transport is "hub" or "consume";
        var socket = new ClientWebSocket();
        stream._socket = packed ? new PackedHubSocket(socket) : socket;
        if (key is not null)
        {
            socket.Options.SetRequestHeader("Authorization", $"Bearer {key}");
        }

        var path = transport == "ws" ? $"/ws?{query}{(after?.Cursor is { } cursor ? $"&from={cursor}" : "")}" : stream._isHub
            ? "/hub"
            : "/ws";
        await socket.ConnectAsync(new Uri($"ws://{server.Address.Authority}{path}"), CancellationToken.None).WithTimeout();
        if (transport != "ws")
        {
            await stream.SubscribeAsync(transport, query, after?.Cursor);
        }

        await stream.ReadOpeningAsync();
        return stream;
    }

    /// <summary>The next message or event, without cursors and what was seen already.</summary>
    public async Task<JsonElement> NextAsync()
    {
        while (true)
        {
            var next = await ReadAsync().WaitAsync(Patience);
            if (Note(next))
            {
                return next;
            }
        }
    }

    /// <summary>The next messages, as <c>queue:body</c>; any event fails.</summary>
    public async Task<List<string>> NextMessagesAsync(int count)
    {
        var messages = new List<string>();
        while (messages.Count < count)
        {
            messages.Add(TextOf(await NextAsync()));
        }

        return messages;
    }

    /// <summary>Reads on until a cursor stands behind all that was read.</summary>
    public async Task ReadCursorAsync()
    {
        while (_isBehind)
        {
            Assert.False(Note(await ReadAsync().WaitAsync(Patience)), "More messages came.");
        }
    }

    /// <summary>Where the stream is now, for a later one.</summary>
    public ManyStream Copy() => new(this);

    /// <summary>Sends a command, or calls a method of the hub, and leaves its answer unread.</summary>
    public Task SayAsync(string text) => _socket!.SendAsync(text);

    public static string TextOf(JsonElement message) => message.TryGetProperty("event", out _)
        ? message.ToString()
        : $"{message.GetProperty("queue").GetString()}:{message.GetProperty("body").GetString()}";

    public async ValueTask DisposeAsync()
    {
        if (_closing.IsCancellationRequested)
        {
            return;
        }

        await _closing.CancelAsync();
        _lines?.Dispose();
        _response?.Dispose();
        _socket?.Abort();
        _socket?.Dispose();
    }

    /// <summary>Whether the test is to see it.</summary>
    private bool Note(JsonElement json)
    {
        if (!json.TryGetProperty("event", out var kind))
        {
            if (!json.TryGetProperty("offset", out var offset))
            {
                return true;
            }

            var queue = json.GetProperty("queue").GetString()!;
            if (offset.GetInt64() <= _seen.GetValueOrDefault(queue))
            {
                return false;
            }

            _seen[queue] = offset.GetInt64();
            _isBehind = true;
            return true;
        }

        switch (kind.GetString())
        {
            case "cursor":
                Cursor = json.GetProperty("cursor").GetString();
                _isBehind = false;
                return false;
            case "subscribed":
                var joined = json.GetProperty("queue").GetString()!;
                var epoch = json.GetProperty("position").GetString()!.Split('.')[0];
                if (_epochs.GetValueOrDefault(joined) != epoch)
                {
                    _ = _seen.Remove(joined);
                }

                _epochs[joined] = epoch;
                return true;
            case "gap" when json.GetProperty("cause").GetString() == "reset":
            case "close" when json.TryGetProperty("queue", out _):
                _ = _seen.Remove(json.GetProperty("queue").GetString()!);
                return true;
            default:
                return true;
        }
    }

    private async Task SubscribeAsync(string transport, string query, string? cursor)
    {
        var pairs = query.Split('&').Select(static pair => pair.Split('=')).ToLookup(static pair => pair[0], static pair => pair[1]);
        var options = pairs.Where(static pair => pair.Key is not ("queue" or "match"))
            .ToDictionary(static pair => pair.Key, static pair => (object)pair.First());
        if (pairs.Contains("match"))
        {
            options["match"] = pairs["match"].ToArray();
        }

        if (cursor is not null)
        {
            options["from"] = cursor;
        }

        if (transport == "command")
        {
            options["cmd"] = "subscribe";
            options["queues"] = pairs["queue"].ToArray();
            await _socket!.SendAsync(JsonSerializer.Serialize(options));
            return;
        }

        await _socket!.SendAsync(HubSockets.Handshake);
        Assert.Equal("{}\u001e", await _socket!.NextOfAllAsync());
        var arguments = $"{JsonSerializer.Serialize(pairs["queue"].ToArray())},{JsonSerializer.Serialize(options)}";
        await _socket!.SendAsync(transport == "hub"
            ? HubSockets.Call("s", "Subscribe", arguments)
            : $"{{\"type\":4,\"invocationId\":\"c\",\"target\":\"Consume\",\"arguments\":[{arguments}]}}\u001e");
    }

    private async Task ReadOpeningAsync()
    {
        // The answer to a command may come behind the first messages.
        var early = new Queue<JsonElement>();
        var opening = await ReadAsync().WaitAsync(Patience);
        JsonElement queues;
        while (!opening.TryGetProperty("queues", out queues))
        {
            Assert.True((opening.TryGetProperty("queue", out _) || opening.TryGetProperty("event", out _))
                && early.Count < 100, opening.ToString());
            early.Enqueue(opening);
            opening = await ReadAsync().WaitAsync(Patience);
        }

        var rest = early.Concat(_read).ToList();
        _read.Clear();
        rest.ForEach(_read.Enqueue);

        Queues = [.. queues.EnumerateArray().Select(static queue => queue.GetString()!)];
        Cursor = opening.GetProperty("cursor").GetString();
        foreach (var gone in _seen.Keys.Except(Queues).ToList())
        {
            _ = _seen.Remove(gone);
        }
    }

    private async Task<JsonElement> ReadAsync()
    {
        while (true)
        {
            if (_read.TryDequeue(out var read))
            {
                return read;
            }

            if (_socket is null)
            {
                await (_isEvents ? ReadEventAsync() : ReadLineAsync());
            }
            else
            {
                ReadFrame(await _socket.NextOfAllAsync());
            }
        }
    }

    private async Task ReadLineAsync()
    {
        var line = await _lines!.ReadLineAsync(_closing.Token) ?? throw new EndOfStreamException();
        if (line.Length > 0)
        {
            _read.Enqueue(Parse(line));
        }
    }

    private async Task ReadEventAsync()
    {
        string? id = null;
        var data = new StringBuilder();
        while (await _lines!.ReadLineAsync(_closing.Token) is { } line)
        {
            if (line.Length == 0)
            {
                if (data.Length > 0)
                {
                    _read.Enqueue(Parse(data.ToString()));
                }

                if (id is not null
                    && (data.Length == 0 || !data.ToString().StartsWith("{\"event\":\"subscribed\",\"queues\"", StringComparison.Ordinal)))
                {
                    _read.Enqueue(Parse($"{{\"event\":\"cursor\",\"cursor\":\"{id}\"}}"));
                }

                return;
            }

            id = line.StartsWith("id: ", StringComparison.Ordinal) ? line[4..] : id;
            _ = line.StartsWith("data: ", StringComparison.Ordinal) ? data.Append(line.AsSpan(6)) : data;
        }

        throw new EndOfStreamException();
    }

    private void ReadFrame(string text)
    {
        if (!_isHub)
        {
            _read.Enqueue(text.StartsWith('{') ? Parse(text) : throw new EndOfStreamException(text));
            return;
        }

        foreach (var record in text.Split('\u001e', StringSplitOptions.RemoveEmptyEntries))
        {
            var json = Parse(record);
            switch (json.GetProperty("type").GetInt32())
            {
                case 1:
                    _read.Enqueue(json.GetProperty("arguments")[0]);
                    break;
                case 2:
                    _read.Enqueue(json.GetProperty("item"));
                    break;
                case 3:
                    _read.Enqueue(json.TryGetProperty("result", out var result) ? result : json);
                    break;
            }
        }
    }

    private static JsonElement Parse(string text)
    {
        using var document = JsonDocument.Parse(text);
        return document.RootElement.Clone();
    }
}
