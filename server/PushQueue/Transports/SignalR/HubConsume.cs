using System.Text.Json;
using System.Threading.Channels;
using Microsoft.Extensions.Options;
using PushQueue.Delivery;
using PushQueue.Delivery.Encoding;
using PushQueue.Queues;
using PushQueue.Transports.Streaming;

namespace PushQueue.Transports.SignalR;

/// <summary>Serves the hub's streaming method: each call is a connection of its own, as far as delivery sees it.</summary>
internal sealed class HubConsume(
    ConsumerConnections connections,
    Subscriptions subscriptions,
    LimitHits hits,
    IOptions<DeliveryOptions> options)
{
    public async Task<ChannelReader<EncodedItem>> StartAsync(
        HubClient client, JsonElement queue, JsonElement? json, CancellationToken aborted, CancellationToken cancelled)
    {
        var connection = new ItemStreamConnection(client.Forms.Items, client.Caller);
        var session = connections.Begin(connection);
        if (!client.TryOpenStream(session.Buffer, options.Value.SubscriptionsPerConnectionMax))
        {
            await session.DisposeAsync();
            hits.Count(LimitNames.Subscriptions);
            throw HubCommands.Failure(Subscriptions.TooMany(options.Value.SubscriptionsPerConnectionMax));
        }

        EncodedPage? opening;
        try
        {
            opening = await JoinAsync(client, session, queue, json);
        }
        catch
        {
            // SignalR reports the failure to the client, and nothing of the call may stay.
            await session.DisposeAsync();
            client.CloseStream(session.Buffer);
            throw;
        }

        session.Buffer.Open(opening);
        _ = EndWithAsync(client, connection, session, aborted, cancelled);
        return connection.Items;
    }

    private async ValueTask<EncodedPage?> JoinAsync(HubClient client, ConsumerSession session, JsonElement queue, JsonElement? json)
    {
        if (Subscriptions.ReadMany(queue, json, out var problem) is { } many)
        {
            // The call itself counts as one until its queues have joined.
            (var begun, problem) = await subscriptions.SubscribeManyAsync(
                session.Buffer,
                many,
                client.Forms.ManyItems,
                client.Forms.ManyItems,
                () => client.CountSubscriptions() - (session.Buffer.Consumers.Length == 0 ? 1 : 0));
            return begun is null ? throw HubCommands.Failure(problem!) : begun.Page;
        }

        if (problem is not null)
        {
            throw HubCommands.Failure(problem);
        }

        _ = JsonText.TryRead(queue, out var name);
        var reader = Subscriptions.ReadOptions(json);
        (var consumer, problem) = await subscriptions.SubscribeAsync(
            session.Buffer, name, reader, client.Forms.Items, client.Forms.Items);
        return consumer is null ? throw HubCommands.Failure(problem!) : await Dispatcher.EncodeOpeningAsync(consumer);
    }

    private static async Task EndWithAsync(
        HubClient client, ItemStreamConnection connection, ConsumerSession session, CancellationToken aborted, CancellationToken cancelled)
    {
        await using var connectionEnd = aborted.UnsafeRegister(Abort, connection);
        await using var callEnd = cancelled.UnsafeRegister(Abort, connection);
        await connection.Ended;
        client.CloseStream(session.Buffer);
        await session.DisposeAsync();

        static void Abort(object? state) => ((ItemStreamConnection)state!).Abort(CloseReason.Normal);
    }
}
