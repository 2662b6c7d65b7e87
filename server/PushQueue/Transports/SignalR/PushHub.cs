using System.Text.Json;
using System.Text.Json.Serialization;
using System.Threading.Channels;
using Microsoft.AspNetCore.SignalR;
using PushQueue.Queues;
using PushQueue.Transports.Json;
using PushQueue.Transports.Streaming;

namespace PushQueue.Transports.SignalR;

/// <summary>
/// The hub at <c>/hub</c>. Clients get <c>message(envelope)</c>, <c>gap(…)</c>, <c>cancel(…)</c> and, before the end,
/// <c>close(…)</c>.
/// </summary>
internal sealed class PushHub(
    PushLifetimeManager connections,
    Subscriptions subscriptions,
    HubCommands commands,
    HubConsume consume,
    HubWatch watch,
    HubPresence presence,
    HubTail tail) : Hub
{
    private HubClient Client => connections.Find(Context.ConnectionId) ?? throw new HubException("The connection is closing.");

    /// <summary>
    /// Pushes messages to this connection from when the call returns: those of the queue that a string names, or of the queues of a list of
    /// names and of those that the option <c>match</c> matches.
    /// </summary>
    public async Task<SubscribeAnswer> Subscribe(JsonElement queue, JsonElement? options)
    {
        var client = CommandingClient();
        if (Subscriptions.ReadMany(queue, options, out var wrong) is { } many)
        {
            var (opening, refusal) = await subscriptions.SubscribeManyAsync(client.Buffer, many, client.Forms.Many, client.Forms.ManyRaw);
            return opening is null
                ? throw HubCommands.Failure(refusal!)
                : new SubscribeAnswer(null, opening.Cursor, [.. opening.Queues.Select(static name => name.Value)]);
        }

        if (wrong is not null)
        {
            throw HubCommands.Failure(wrong);
        }

        _ = JsonText.TryRead(queue, out var name);
        var reader = Subscriptions.ReadOptions(options);
        var (consumer, problem) = await subscriptions.SubscribeAsync(client.Buffer, name, reader, client.Forms.Envelopes, client.Forms.Raw);
        if (consumer is null)
        {
            throw HubCommands.Failure(problem!);
        }

        var cursor = await Delivery.Dispatcher.CursorAsync(consumer);
        return new SubscribeAnswer(name, cursor?.ToString());
    }

    /// <summary>Ends the subscription to a queue; null for that to many queues. False if there is no such subscription.</summary>
    public bool Unsubscribe(string? queue, JsonElement? options)
    {
        if (Subscriptions.ReadStarted(options, out var started) is { } wrong)
        {
            throw HubCommands.Failure(wrong);
        }

        if (queue is null)
        {
            // A subscription to many queues has no leases of which a client could say so by their ids alone.
            return connections.Find(Context.ConnectionId) is not null && subscriptions.UnsubscribeMany(CommandingClient().Buffer);
        }

        if (connections.Find(Context.ConnectionId) is null || !QueueName.TryParse(queue, out var name, out _))
        {
            return false;
        }

        return subscriptions.Unsubscribe(CommandingClient().Buffer, name, started, out var found) is { } problem
            ? throw HubCommands.Failure(problem)
            : found;
    }

    /// <summary>
    /// Pushes messages as the items of a stream, until the client cancels it; the arguments are those of <see cref="Subscribe"/>.
    /// </summary>
    public Task<ChannelReader<EncodedItem>> Consume(JsonElement queue, JsonElement? options, CancellationToken cancelled) =>
        consume.StartAsync(CommandingClient(), queue, options, Context.ConnectionAborted, cancelled);

    public Task<RawJson> Put(string queue, HubBody body, JsonElement? options) =>
        commands.PutAsync(Client.Caller, queue, body, options, Context.ConnectionAborted);

    public Task<RawJson> PutMany(string queue, HubBodies bodies, JsonElement? options) =>
        commands.PutManyAsync(Client.Caller, queue, bodies, options, Context.ConnectionAborted);

    public Task<RawJson> Take(string queue, JsonElement? options) =>
        commands.RunAsync(Client.Caller, "take", queue, options, Context.ConnectionAborted);

    public Task<RawJson> Lease(string queue, JsonElement? options) =>
        commands.RunAsync(Client.Caller, "lease", queue, options, Context.ConnectionAborted);

    public Task<RawJson> Ack(string queue, JsonElement id, JsonElement receipt) =>
        commands.RunAsync(Client.Caller, "ack", queue, null, Context.ConnectionAborted, ("id", id), ("receipt", receipt));

    public Task<RawJson> AckMany(string queue, JsonElement items) =>
        commands.RunAsync(Client.Caller, "ack", queue, null, Context.ConnectionAborted, ("items", items));

    public Task<RawJson> ReleaseMany(string queue, JsonElement items, JsonElement? options) =>
        commands.RunAsync(Client.Caller, "release", queue, options, Context.ConnectionAborted, ("items", items));

    public Task<RawJson> TouchMany(string queue, JsonElement items, JsonElement? options) =>
        commands.RunAsync(Client.Caller, "touch", queue, options, Context.ConnectionAborted, ("items", items));

    public Task<RawJson> Release(string queue, JsonElement id, JsonElement receipt, JsonElement? options) =>
        commands.RunAsync(Client.Caller, "release", queue, options, Context.ConnectionAborted, ("id", id), ("receipt", receipt));

    public Task<RawJson> Touch(string queue, JsonElement id, JsonElement receipt, JsonElement? options) =>
        commands.RunAsync(Client.Caller, "touch", queue, options, Context.ConnectionAborted, ("id", id), ("receipt", receipt));

    public Task<RawJson> Purge(string queue) =>
        commands.RunAsync(Client.Caller, "purge", queue, null, Context.ConnectionAborted);

    /// <summary>Renews the rights of the connection by a newer token of the same owner.</summary>
    public async Task<AuthenticateAnswer> Authenticate(string token)
    {
        var renewed = await commands.RenewAsync(CommandingClient().Caller, token, Context.ConnectionAborted);
        return new AuthenticateAnswer(renewed.Expires is { } expires ? TimeConverter.Format(expires) : null);
    }

    /// <summary>A page of the overview, and every second what changed in it: the queues that the caller may see.</summary>
    public IAsyncEnumerable<RawJson> WatchQueues(JsonElement? options, CancellationToken cancelled) =>
        watch.WatchQueues(CommandingClient().Caller, options, cancelled);

    /// <summary>One queue with its settings, every second, and with its consumers for those who manage it.</summary>
    public IAsyncEnumerable<RawJson> WatchQueue(string queue, CancellationToken cancelled) =>
        watch.WatchQueue(CommandingClient().Caller, queue, cancelled);

    /// <summary>The nodes, and what happened on this one.</summary>
    public IAsyncEnumerable<RawJson> WatchNodes(CancellationToken cancelled) => watch.WatchNodes(CommandingClient().Caller, cancelled);

    /// <summary>The events of a queue's messages, as copies: no consumer gets a message less for it.</summary>
    public IAsyncEnumerable<RawJson> Tail(string queue, CancellationToken cancelled) =>
        tail.Tail(CommandingClient().Caller, queue, cancelled);

    /// <summary>The consumers of a queue at all nodes, and then each that comes or leaves.</summary>
    public IAsyncEnumerable<RawJson> WatchPresence(string queue, CancellationToken cancelled) =>
        presence.Watch(CommandingClient().Caller, queue, cancelled);

    /// <summary>The client, whose call is counted as a command.</summary>
    private HubClient CommandingClient()
    {
        var client = Client;
        return client.Caller.WhyNoCommand(bytes: 0) is { } problem ? throw HubCommands.Failure(problem) : client;
    }
}

/// <summary>The answer to a subscription.</summary>
/// <param name="Queue">The queue's name; null for a subscription to many.</param>
/// <param name="Cursor">Where the stream begins; null for a client that said itself where to begin.</param>
/// <param name="Queues">The names of many queues; null for one.</param>
internal sealed record SubscribeAnswer(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Queue,
    string? Cursor,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<string>? Queues = null);

/// <summary>The answer to a renewal.</summary>
/// <param name="Expires">When the rights end; null for never.</param>
internal sealed record AuthenticateAnswer(string? Expires);
