using System.Text;
using System.Text.Json;
using PushQueue.SystemTests.History.Judging;
using PushQueue.SystemTests.History.Links;

namespace PushQueue.SystemTests.History.Workers;

/// <summary>
/// Puts one message (or batch) after another, each under its own id, and repeats each until it is answered: by REST, in batches, over a
/// WebSocket or the hub.
/// </summary>
internal sealed class Producer(
    Scene scene,
    string name,
    PutWay way,
    string queue,
    int bodyBytesMax,
    int pauseMsMax,
    bool mayDelay,
    Random random,
    bool hasKeys = false)
{
    private SocketLink? _socket;
    private HubLink? _hub;
    private int _number;

    public async Task RunAsync()
    {
        while (scene.Producing && !scene.End.IsCancellationRequested)
        {
            var count = way == PutWay.Batch ? random.Next(1, 20) : 1;
            var keys = Enumerable.Range(0, count).Select(_ => $"{name}-{++_number}").ToArray();
            var bodies = keys.Select(key => $$"""{"key":"{{key}}","pad":"{{new string('x', random.Next(bodyBytesMax))}}"}""").ToArray();
            var delay = mayDelay && random.Next(10) == 0 ? $"{random.Next(1, 1500)}ms" : null;
            Array.ForEach(keys, key => scene.Record.Add(new PutTried(queue, key)));
            var messageKey = hasKeys ? MessageKeys.Of(name, _number) : null;
            while (!await TryPutAsync(keys, bodies, delay, messageKey))
            {
                if (scene.End.IsCancellationRequested)
                {
                    return;
                }

                await scene.PauseAsync(random.Next(10, 50));
            }

            Array.ForEach(keys, key => scene.Record.Add(new PutStored(queue, key)));
            await scene.PaceAsync(random.Next(pauseMsMax));
        }

        await DropLinksAsync();
    }

    private async Task<bool> TryPutAsync(string[] keys, string[] bodies, string? delay, string? messageKey)
    {
        try
        {
            var stored = await (way switch
            {
                PutWay.Rest => PostAsync($"/q/{queue}?id={keys[0]}{Option("delay", delay)}{Option("key", messageKey)}", bodies[0]),
                PutWay.Batch => PostAsync($"/q/{queue}/batch?envelope=true{Option("delay", delay)}", Lines(keys, bodies)),
                PutWay.Socket => PutOverSocketAsync(keys[0], bodies[0], delay, messageKey),
                _ => PutOverHubAsync(keys[0], bodies[0], delay, messageKey),
            });
            if (!stored)
            {
                await DropLinksAsync();
            }

            return stored;
        }
        catch (Exception e) when (StreamLink.IsEnd(e))
        {
            await DropLinksAsync();
            return false;
        }
    }

    private static string Option(string option, string? value) => value is null ? "" : $"&{option}={Uri.EscapeDataString(value)}";

    private static string Field(string name, string? value) => value is null ? "" : $"\"{name}\":\"{value}\",";

    private static string Lines(string[] keys, string[] bodies) =>
        string.Concat(keys.Select((key, i) => $$"""{"id":"{{key}}","body":{{bodies[i]}}}""" + "\n"));

    private async Task<bool> PostAsync(string path, string body)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var answer = await scene.Http.PostAsync(new Uri(scene.AnyAddress(random), path), content, scene.End);
        return answer.IsSuccessStatusCode;
    }

    private async Task<bool> PutOverSocketAsync(string key, string body, string? delay, string? messageKey)
    {
        if (_socket is null)
        {
            _socket = new SocketLink(scene.AnyAddress(random), scene.Http);
            await _socket.ConnectAsync("/ws", scene.End);
            _ = ReadAnswersAsync(_socket);
        }

        var answer = await _socket.AskAsync(
            $$"""{"cmd":"put","queue":"{{queue}}","id":"{{key}}","value":{{body}},{{Field("delay", delay)}}{{Field("key", messageKey)}}""");
        return answer?.TryGetProperty("ok", out _) ?? false;
    }

    private async Task ReadAnswersAsync(SocketLink socket)
    {
        try
        {
            await foreach (var _ in socket.ReceiveAsync(scene.End))
            {
                // Answers go to who asked; nothing else comes.
            }
        }
        catch (Exception e) when (StreamLink.IsEnd(e))
        {
            // The next put connects again.
        }
    }

    private async Task<bool> PutOverHubAsync(string key, string body, string? delay, string? messageKey)
    {
        if (_hub is null)
        {
            _hub = new HubLink(scene.AnyAddress(random), scene.Http);
            await _hub.StartAsync(scene.End);
        }

        using var json = JsonDocument.Parse(body);
        var options = new Dictionary<string, string>(StringComparer.Ordinal) { ["id"] = key };
        if (delay is not null)
        {
            options["delay"] = delay;
        }

        if (messageKey is not null)
        {
            options["key"] = messageKey;
        }

        return await _hub.CallAsync("Put", queue, json.RootElement, options) is not null;
    }

    private async Task DropLinksAsync()
    {
        if (_socket is { } socket)
        {
            _socket = null;
            await socket.DisposeAsync();
        }

        if (_hub is { } hub)
        {
            _hub = null;
            await hub.DisposeAsync();
        }
    }
}

internal enum PutWay
{
    Rest,
    Batch,
    Socket,
    Hub,
}
