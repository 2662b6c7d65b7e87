using System.Text.Json;
using System.Threading.Channels;
using Microsoft.AspNetCore.SignalR;
using PushQueue.Transports.Streaming;

namespace PushQueue.Transports.SignalR;

/// <summary>The hub at <c>/hub</c>. Clients get <c>message(envelope)</c>, <c>gap(…)</c>, <c>cancel(…)</c> and, before the end, <c>close(…)</c>.</summary>
internal sealed class PushHub(
    PushLifetimeManager connections,
    Subscriptions subscriptions,
    HubCommands commands,
    HubConsume consume) : Hub
{
    /// <summary>Pushes a queue's messages to this connection from when the call returns.</summary>
    public async Task<SubscribeAnswer> Subscribe(string queue, JsonElement? options)
    {
        var client = connections.Find(Context.ConnectionId) ?? throw new HubException("The connection is closing.");
        var reader = Subscriptions.ReadOptions(options);
        var (consumer, error) = await subscriptions.SubscribeAsync(client.Buffer, queue, reader, client.Envelopes, client.Raw);
        if (consumer is null)
        {
            throw new HubException($"bad-option: {error}");
        }

        var cursor = await Delivery.Dispatcher.CursorAsync(consumer);
        return new SubscribeAnswer(queue, cursor?.ToString());
    }

    public bool Unsubscribe(string queue) =>
        connections.Find(Context.ConnectionId) is { } client && subscriptions.Unsubscribe(client.Buffer, queue);

    /// <summary>Pushes a queue's messages as the items of a stream, until the client cancels it.</summary>
    public Task<ChannelReader<RawJson>> Consume(string queue, JsonElement? options, CancellationToken cancelled) =>
        consume.StartAsync(queue, options, Context.ConnectionAborted, cancelled);

    public Task<RawJson> Put(string queue, JsonElement body, JsonElement? options) =>
        commands.RunAsync("put", queue, options, Context.ConnectionAborted, ("value", body));

    public Task<RawJson> PutMany(string queue, JsonElement bodies, JsonElement? options) =>
        commands.RunAsync("put", queue, options, Context.ConnectionAborted, ("values", bodies));

    public Task<RawJson> Take(string queue, JsonElement? options) =>
        commands.RunAsync("take", queue, options, Context.ConnectionAborted);

    public Task<RawJson> Lease(string queue, JsonElement? options) =>
        commands.RunAsync("lease", queue, options, Context.ConnectionAborted);

    public Task<RawJson> Ack(string queue, JsonElement id, JsonElement receipt) =>
        commands.RunAsync("ack", queue, null, Context.ConnectionAborted, ("id", id), ("receipt", receipt));

    public Task<RawJson> AckMany(string queue, JsonElement items) =>
        commands.RunAsync("ack", queue, null, Context.ConnectionAborted, ("items", items));

    public Task<RawJson> ReleaseMany(string queue, JsonElement items, JsonElement? options) =>
        commands.RunAsync("release", queue, options, Context.ConnectionAborted, ("items", items));

    public Task<RawJson> TouchMany(string queue, JsonElement items, JsonElement? options) =>
        commands.RunAsync("touch", queue, options, Context.ConnectionAborted, ("items", items));

    public Task<RawJson> Release(string queue, JsonElement id, JsonElement receipt, JsonElement? options) =>
        commands.RunAsync("release", queue, options, Context.ConnectionAborted, ("id", id), ("receipt", receipt));

    public Task<RawJson> Touch(string queue, JsonElement id, JsonElement receipt, JsonElement? options) =>
        commands.RunAsync("touch", queue, options, Context.ConnectionAborted, ("id", id), ("receipt", receipt));
}

/// <summary>What a subscription answers.</summary>
/// <param name="Queue">The queue's name.</param>
/// <param name="Cursor">Where the stream begins; null for a queue that does not exist yet, and for a client that said where to begin.</param>
internal sealed record SubscribeAnswer(string Queue, string? Cursor);
