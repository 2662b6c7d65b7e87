using System.Collections.Concurrent;
using System.Text.Json;
using PushQueue.SystemTests.History.Judging;
using PushQueue.SystemTests.History.Links;

namespace PushQueue.SystemTests.History.Workers;

/// <summary>
/// Follows many broadcast queues over one stream and resumes all of them by its cursor; a slow one stops reading now and then.
/// </summary>
internal sealed class ManyFollower(
    Scene scene, string name, string query, Func<Uri, StreamLink> makeLink, Random random, bool slow = false)
{
    private readonly bool _mayOverflow = query.Contains("overflow=", StringComparison.Ordinal);
    private readonly ConcurrentDictionary<string, ManyPlace> _places = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _connections = new(StringComparer.Ordinal);
    private volatile bool _hasBegun;
    private string? _cursor;

    public string Name => name;

    /// <summary>Whether the stream has stood once: from then on it misses nothing without a gap.</summary>
    public bool HasBegun => _hasBegun;

    /// <summary>The last offset of a queue that it got, as a message or in a gap; null where the queue has not joined.</summary>
    public long? LastOf(string queue) => _places.TryGetValue(queue, out var place) ? place.Last : null;

    public async Task RunAsync()
    {
        while (!scene.End.IsCancellationRequested)
        {
            await ReadAsync(scene.AnyAddress(random));
            await scene.PauseAsync(random.Next(10, 100));
        }
    }

    private async Task ReadAsync(Uri address)
    {
        _connections.Clear();
        await using var link = makeLink(address);
        await foreach (var received in link.ReadAsync("", _cursor is null ? query : $"{query}&from={_cursor}", scene.End))
        {
            if (!await OnReceivedAsync(address, received))
            {
                return;
            }

            _cursor = received.Cursor ?? _cursor;
        }
    }

    /// <summary>Whether the connection can be read on.</summary>
    private async Task<bool> OnReceivedAsync(Uri address, Received received)
    {
        switch (received.Event)
        {
            case "cursor":
                _cursor = received.Json.GetProperty("cursor").GetString();
                return true;
            case "subscribed" when received.Json.TryGetProperty("queues", out var queues):
                return await OnOpeningAsync(address, received, queues);
            case "subscribed":
                return await JoinAsync(address, received.Queue);
            case null or "gap" or "close" when received.Json.TryGetProperty("queue", out _):
                return await OnOfQueueAsync(address, received);
            default:
                return true;
        }
    }

    private async Task<bool> OnOpeningAsync(Uri address, Received received, JsonElement queues)
    {
        foreach (var queue in queues.EnumerateArray())
        {
            if (!await JoinAsync(address, queue.GetString()!))
            {
                return false;
            }
        }

        _cursor = received.Json.GetProperty("cursor").GetString();
        _hasBegun = true;
        return true;
    }

    private async Task<bool> JoinAsync(Uri address, string queue)
    {
        if (_connections.ContainsKey(queue))
        {
            return true;
        }

        if (await scene.GetAsync(address, $"/j/{queue}") is not { } info)
        {
            return false;
        }

        _connections[queue] = scene.Record.Connect(queue, name, scene.ServerAt(address), _mayOverflow);
        _places.GetOrAdd(queue, static name => new ManyPlace(name)).OnJoined(info.GetProperty("epoch").GetString()!);
        return true;
    }

    private async Task<bool> OnOfQueueAsync(Uri address, Received received)
    {
        var queue = received.Queue;

        // Over the hub the first messages may come before the answer that names the queues.
        if (!await JoinAsync(address, queue))
        {
            return false;
        }

        var place = _places[queue];
        if (received.Event is null)
        {
            await OnMessageAsync(place, received);
        }
        else if (received.Event == "close")
        {
            // No queue of a run is deleted or forbidden: the judge finds no reason for such a gap.
            scene.Record.Add(new GapTold(queue, name, $"close {received.Json.GetProperty("code")}", place.Last + 1, place.Last + 1, 1));
        }
        else if (place.NewOf(GapOf(received)) is { } gap)
        {
            scene.Record.Add(gap);
        }

        return true;
    }

    private GapTold GapOf(Received received)
    {
        var cause = received.Json.GetProperty("cause").GetString()!;
        return cause == "reset"
            ? new GapTold(received.Queue, name, cause, 0, 0, 0)
            : new GapTold(
                received.Queue, name, cause, received.Json.GetProperty("from").GetInt64(), received.Json.GetProperty("to").GetInt64(),
                received.Json.GetProperty("count").GetInt64());
    }

    private async Task OnMessageAsync(ManyPlace place, Received received)
    {
        if (!place.IsNew(received.Offset))
        {
            return;
        }

        var key = Scene.KeyOf(received.Id, received.Json.GetProperty("body"));
        scene.Record.Add(new Arrived(
            received.Queue, name, _connections[received.Queue], key, received.Attempt, received.Offset, place.Epoch));
        if (slow && scene.Producing && random.Next(200) == 0)
        {
            await scene.PauseAsync(random.Next(500, 6000));
        }
    }
}
