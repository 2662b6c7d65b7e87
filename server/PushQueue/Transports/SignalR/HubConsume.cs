using System.Text.Json;
using System.Threading.Channels;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.Options;
using PushQueue.Delivery;
using PushQueue.Delivery.Encoding;
using PushQueue.Transports.Streaming;

namespace PushQueue.Transports.SignalR;

/// <summary>Serves the hub's streaming method: each call is a connection of its own, as far as delivery sees it.</summary>
internal sealed class HubConsume(
    Dispatcher dispatcher,
    ConsumerRegistry registry,
    CoarseClock clock,
    Subscriptions subscriptions,
    IOptions<DeliveryOptions> options)
{
    public async Task<ChannelReader<RawJson>> StartAsync(
        string queue, JsonElement? json, CancellationToken aborted, CancellationToken cancelled)
    {
        var connection = new ItemStreamConnection();
        var buffer = new OutboundBuffer(connection, clock, options.Value);
        registry.Add(buffer);
        try
        {
            var reader = Subscriptions.ReadOptions(json);
            var (consumer, error) = await subscriptions.SubscribeAsync(buffer, queue, reader, LineFormat.Envelopes, LineFormat.Envelopes);
            if (consumer is null)
            {
                throw new HubException($"bad-option: {error}");
            }
        }
        catch
        {
            // Whatever it was, and SignalR tells the client: nothing of the call may stay.
            await buffer.EndUnopenedAsync();
            await dispatcher.EndAsync(buffer);
            throw;
        }

        buffer.Open();

        _ = EndWithAsync(connection, buffer, aborted, cancelled);
        return connection.Items;
    }

    private async Task EndWithAsync(
        ItemStreamConnection connection, OutboundBuffer buffer, CancellationToken aborted, CancellationToken cancelled)
    {
        await using var connectionEnd = aborted.UnsafeRegister(Abort, connection);
        await using var callEnd = cancelled.UnsafeRegister(Abort, connection);
        await connection.Ended;
        await dispatcher.EndAsync(buffer);

        static void Abort(object? state) => ((ItemStreamConnection)state!).Abort(CloseReason.Normal);
    }
}
