using System.Text.Json;
using System.Threading.Channels;
using Microsoft.AspNetCore.SignalR.Client;
using PushQueue.Client.SignalR;

namespace PushQueue.SystemTests.History.Links;

/// <summary>SignalR's own client: messages as invocations, or as the items of a stream.</summary>
internal sealed class HubLink : StreamLink
{
    private readonly HubConnection _hub;
    private readonly bool _consume;

    /// <param name="address">The server.</param>
    /// <param name="http">For what goes by REST.</param>
    /// <param name="consume">By the streaming method, instead of a subscription.</param>
    public HubLink(Uri address, HttpClient http, bool consume = false)
        : base(address, http)
    {
        _consume = consume;
        _hub = new HubConnectionBuilder().WithPushQueue(address).Build();

        // No pings of the client's; see SocketLink.
        _hub.KeepAliveInterval = TimeSpan.FromHours(1);
    }

    public Task StartAsync(CancellationToken cancellationToken) => _hub.StartAsync(cancellationToken);

    /// <summary>The answer to a call; null where the connection ended first or the server refused.</summary>
    public async Task<JsonElement?> CallAsync(string method, params object?[] arguments)
    {
        try
        {
            return await _hub.InvokeCoreAsync<JsonElement>(method, arguments);
        }
        catch (Exception e) when (IsEnd(e))
        {
            return null;
        }
    }

    public override async Task<bool?> SettleAsync(string word, string queue, string id, string receipt)
    {
        try
        {
            _ = await _hub.InvokeAsync<JsonElement>(word == "ack" ? "Ack" : "Release", queue, id, receipt);
            return true;
        }
        catch (Microsoft.AspNetCore.SignalR.HubException e)
        {
            return e.Message.Contains("lease-lost", StringComparison.Ordinal) || e.Message.Contains("not-found", StringComparison.Ordinal)
                ? false
                : null;
        }
        catch (Exception e) when (IsEnd(e))
        {
            return null;
        }
    }

    public override async ValueTask DisposeAsync() => await _hub.DisposeAsync();

    protected override async IAsyncEnumerable<Received> OpenAsync(
        string queue, string options, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var values = OptionsOf(options);
        var isMany = values.Remove("queue", out var queues) || queue.Length == 0;
        var target = isMany ? queues ?? Array.Empty<string>() : queue;
        if (_consume)
        {
            await StartAsync(cancellationToken);
            await foreach (var item in _hub.StreamAsync<JsonElement>("Consume", target, values, cancellationToken))
            {
                yield return new Received(item.Clone());
            }

            yield break;
        }

        var received = Channel.CreateUnbounded<Received>();
        foreach (var name in (string[])["message", "gap", "cancel", "close", "subscribed", "cursor"])
        {
            _hub.On<JsonElement>(name, json => received.Writer.TryWrite(new Received(json.Clone())));
        }

        _hub.Closed += _ =>
        {
            received.Writer.TryComplete();
            return Task.CompletedTask;
        };
        await StartAsync(cancellationToken);
        var answer = await _hub.InvokeAsync<JsonElement>("Subscribe", target, values, cancellationToken);
        if (isMany)
        {
            // The answer has what other transports send as their first event.
            yield return new Received(Parse("{\"event\":\"subscribed\"," + answer.GetRawText()[1..]));
        }

        await foreach (var one in received.Reader.ReadAllAsync(cancellationToken))
        {
            yield return one;
        }
    }
}
