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
    bool hasKeys = false,
    bool hasHeaders = false)
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
            while (!await TryPutAsync(keys, bodies, delay))
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

    private string? MessageKeyOf(string key) => hasKeys ? MessageKeys.Of(key) : null;

    private string? ParityOf(string key) => hasHeaders ? MessageKeys.ParityOf(key) : null;

    private async Task<bool> TryPutAsync(string[] keys, string[] bodies, string? delay)
    {
        try
        {
            var stored = await (way switch
            {
                PutWay.Rest => PostAsync(
                    $"/q/{queue}?id={keys[0]}{Option("delay", delay)}{Option("key", MessageKeyOf(keys[0]))}", bodies[0], ParityOf(keys[0])),
                PutWay.Batch => PostAsync($"/q/{queue}/batch?envelope=true{Option("delay", delay)}", Lines(keys, bodies)),
                PutWay.Socket => PutOverSocketAsync(keys[0], bodies[0], delay),
                _ => PutOverHubAsync(keys[0], bodies[0], delay),
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

    /// <summary>The fields of a JSON object for the key and the headers of a message.</summary>
    private string TagFields(string key) =>
        Field("key", MessageKeyOf(key)) + (ParityOf(key) is { } parity ? $"\"headers\":{{\"parity\":\"{parity}\"}}," : "");

    private string Lines(string[] keys, string[] bodies) =>
        string.Concat(keys.Select((key, i) => $$"""{"id":"{{key}}",{{TagFields(key)}}"body":{{bodies[i]}}}""" + "\n"));

    private async Task<bool> PostAsync(string path, string body, string? parity = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(scene.AnyAddress(random), path));
        request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        if (parity is not null)
        {
            request.Headers.Add("PushQueue-Header-Parity", parity);
        }

        using var answer = await scene.Http.SendAsync(request, scene.End);
        return answer.IsSuccessStatusCode;
    }

    private async Task<bool> PutOverSocketAsync(string key, string body, string? delay)
    {
        if (_socket is null)
        {
            _socket = new SocketLink(scene.AnyAddress(random), scene.Http);
            await _socket.ConnectAsync("/ws", scene.End);
            _ = ReadAnswersAsync(_socket);
        }

        var answer = await _socket.AskAsync(
            $$"""{"cmd":"put","queue":"{{queue}}","id":"{{key}}","value":{{body}},{{Field("delay", delay)}}{{TagFields(key)}}""");
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

    private async Task<bool> PutOverHubAsync(string key, string body, string? delay)
    {
        if (_hub is null)
        {
            _hub = new HubLink(scene.AnyAddress(random), scene.Http);
            await _hub.StartAsync(scene.End);
        }

        using var json = JsonDocument.Parse(body);
        var options = new Dictionary<string, object>(StringComparer.Ordinal) { ["id"] = key };
        if (delay is not null)
        {
            options["delay"] = delay;
        }

        if (MessageKeyOf(key) is { } messageKey)
        {
            options["key"] = messageKey;
        }

        if (ParityOf(key) is { } parity)
        {
            options["headers"] = new Dictionary<string, string>(StringComparer.Ordinal) { ["parity"] = parity };
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
