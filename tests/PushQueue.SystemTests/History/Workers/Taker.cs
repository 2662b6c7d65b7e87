using System.Net;
using System.Text.Json;
using PushQueue.SystemTests.History.Judging;
using PushQueue.SystemTests.History.Links;

namespace PushQueue.SystemTests.History.Workers;

/// <summary>Takes for good, one request after the other: by REST (one or many), over a WebSocket or the hub.</summary>
internal sealed class Taker(Scene scene, string name, string queue, TakeWay way, Random random)
{
    private const int Many = 5;

    private SocketLink? _socket;
    private Task _reading = Task.CompletedTask;
    private HubLink? _hub;

    public async Task RunAsync()
    {
        while (!scene.End.IsCancellationRequested)
        {
            var address = scene.AnyAddress(random);
            await scene.UntilServedAsync(address);
            await TakeUntilItFailsAsync(address);
            await DropLinksAsync();
        }
    }

    private async Task TakeUntilItFailsAsync(Uri address)
    {
        try
        {
            await ConnectAsync(address);
        }
        catch (Exception e) when (StreamLink.IsEnd(e))
        {
            return;
        }

        var goesOn = true;
        while (goesOn && !scene.End.IsCancellationRequested)
        {
            var connection = scene.Record.Connect(queue, name, scene.ServerAt(address));
            var taken = await TakeAsync(address);
            if (taken is null)
            {
                scene.Record.Add(new TakeUnanswered(queue, way == TakeWay.RestMany ? Many : 1));
                return;
            }

            foreach (var key in taken)
            {
                scene.Record.Add(new Arrived(queue, name, connection, key));
            }

            goesOn = random.Next(200) != 0;
            await scene.PaceAsync(taken.Count == 0 ? random.Next(20) : 0);
        }
    }

    /// <summary>
    /// The keys of what was taken; null without an answer. Takes are not cancelled by the end of the run, or what they took were lost.
    /// </summary>
    private async Task<IReadOnlyList<string>?> TakeAsync(Uri address)
    {
        try
        {
            switch (way)
            {
                case TakeWay.Rest:
                    return await TakeOneAsync(address);
                case TakeWay.RestMany:
                    using (var list = JsonDocument.Parse(
                        await scene.Http.GetStringAsync(new Uri(address, $"/q/{queue}/batch?count={Many}"))))
                    {
                        return [.. list.RootElement.EnumerateArray().Select(KeyOf)];
                    }

                case TakeWay.Socket:
                    return await _socket!.AskAsync($$"""{"cmd":"take","queue":"{{queue}}",""") is { } answer ? MessagesIn(answer) : null;
                default:
                    return await _hub!.CallAsync("Take", queue, null) is { } result ? MessagesIn(result) : null;
            }
        }
        catch (Exception e) when (StreamLink.IsEnd(e))
        {
            return null;
        }
    }

    private async Task<IReadOnlyList<string>?> TakeOneAsync(Uri address)
    {
        using var answer = await scene.Http.GetAsync(new Uri(address, $"/q/{queue}?wait=500ms"));
        if (answer.StatusCode == HttpStatusCode.NoContent)
        {
            return [];
        }

        if (answer.StatusCode != HttpStatusCode.OK)
        {
            return null;
        }

        using var body = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        return [Scene.KeyOf(answer.Headers.GetValues("PushQueue-Id").Single(), body.RootElement)];
    }

    private static IReadOnlyList<string>? MessagesIn(JsonElement answer)
    {
        if (!answer.TryGetProperty("message", out var message))
        {
            return null;
        }

        return message.ValueKind == JsonValueKind.Null ? [] : [KeyOf(message)];
    }

    private static string KeyOf(JsonElement message) => Scene.KeyOf(message.GetProperty("id").GetString()!, message.GetProperty("body"));

    private async Task ConnectAsync(Uri address)
    {
        if (way == TakeWay.Socket)
        {
            _socket = new SocketLink(address, scene.Http);
            await _socket.ConnectAsync("/ws", scene.End);
            _reading = ReadAnswersAsync(_socket);
        }
        else if (way == TakeWay.Hub)
        {
            _hub = new HubLink(address, scene.Http);
            await _hub.StartAsync(scene.End);
        }
    }

    private static async Task ReadAnswersAsync(SocketLink socket)
    {
        try
        {
            await foreach (var _ in socket.ReceiveAsync(CancellationToken.None))
            {
                // Answers go to who asked; nothing else comes.
            }
        }
        catch (Exception e) when (StreamLink.IsEnd(e))
        {
            // The next take learns it.
        }
    }

    private async Task DropLinksAsync()
    {
        if (_socket is { } socket)
        {
            _socket = null;
            await socket.DisposeAsync();
            await _reading;
        }

        if (_hub is { } hub)
        {
            _hub = null;
            await hub.DisposeAsync();
        }
    }
}

internal enum TakeWay
{
    Rest,
    RestMany,
    Socket,
    Hub,
}
