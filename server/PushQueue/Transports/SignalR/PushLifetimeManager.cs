using System.Collections.Concurrent;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using PushQueue.Delivery;

namespace PushQueue.Transports.SignalR;

/// <summary>
/// The door through which pre-serialized pages reach hub connections: SignalR gives a lifetime manager each
/// <see cref="HubConnectionContext"/>, a hub only proxies that serialize anew per message.
/// </summary>
internal sealed class PushLifetimeManager(
    Dispatcher dispatcher,
    ConsumerRegistry registry,
    CoarseClock clock,
    IOptions<DeliveryOptions> options,
    ILogger<DefaultHubLifetimeManager<PushHub>> logger) : DefaultHubLifetimeManager<PushHub>(logger)
{
    private readonly ConcurrentDictionary<string, OutboundBuffer> _buffers = new(StringComparer.Ordinal);

    public OutboundBuffer? Find(string connectionId) => _buffers.GetValueOrDefault(connectionId);

    public override Task OnConnectedAsync(HubConnectionContext connection)
    {
        var http = connection.Features.Get<Microsoft.AspNetCore.Http.Connections.Features.IHttpContextFeature>()?.HttpContext;
        var buffer = new OutboundBuffer(
            new HubConsumerConnection(connection, http?.Connection.RemoteIpAddress?.ToString()), clock, options.Value);
        _buffers[connection.ConnectionId] = buffer;
        registry.Add(buffer);
        buffer.Open();
        return base.OnConnectedAsync(connection);
    }

    public override async Task OnDisconnectedAsync(HubConnectionContext connection)
    {
        if (_buffers.TryRemove(connection.ConnectionId, out var buffer))
        {
            await dispatcher.EndAsync(buffer);
        }

        await base.OnDisconnectedAsync(connection);
    }
}
