using System.Collections.Concurrent;
using Microsoft.AspNetCore.Http.Connections.Features;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using PushQueue.Delivery;

namespace PushQueue.Transports.SignalR;

/// <summary>
/// The door through which ready pages reach hub connections: SignalR gives a lifetime manager each <see cref="HubConnectionContext"/>,
/// a hub only proxies that serialize again for each message. A connection that came through <see cref="HubSocketEndpoint"/> brings its
/// buffer along, past SignalR; to any other SignalR itself writes the pages.
/// </summary>
internal sealed class PushLifetimeManager(
    Dispatcher dispatcher,
    ConsumerRegistry registry,
    CoarseClock clock,
    ConnectionCallers callers,
    IOptions<DeliveryOptions> options,
    ILogger<DefaultHubLifetimeManager<PushHub>> logger) : DefaultHubLifetimeManager<PushHub>(logger)
{
    private readonly ConcurrentDictionary<string, HubClient> _clients = new(StringComparer.Ordinal);

    public HubClient? Find(string connectionId) => _clients.GetValueOrDefault(connectionId);

    public override Task OnConnectedAsync(HubConnectionContext connection)
    {
        var client = connection.Features.Get<OutboundBuffer>() is { } own
            ? new HubClient(own, HubFrameFormat.Envelopes, HubFrameFormat.Raw, EndsItself: true)
            : new HubClient(Open(connection), HubFormat.Envelopes, HubFormat.Raw, EndsItself: false);
        _clients[connection.ConnectionId] = client;
        if (!client.EndsItself && !client.TryConnect())
        {
            // Another one came between the check of the request and this.
            connection.Abort();
        }

        return base.OnConnectedAsync(connection);
    }

    public override async Task OnDisconnectedAsync(HubConnectionContext connection)
    {
        if (_clients.TryRemove(connection.ConnectionId, out var client))
        {
            client.Disconnect();
            if (client.EndsItself)
            {
                // Its leases go back now, not after the last pages.
                dispatcher.UnsubscribeAll(client.Buffer);
            }
            else
            {
                await dispatcher.EndAsync(client.Buffer);
            }
        }

        await base.OnDisconnectedAsync(connection);
    }

    private OutboundBuffer Open(HubConnectionContext connection)
    {
        var http = connection.Features.Get<IHttpContextFeature>()?.HttpContext;
        var buffer = new OutboundBuffer(
            new HubConsumerConnection(connection, callers.Of(connection.User), http?.Connection.RemoteIpAddress?.ToString()),
            clock,
            options.Value);
        registry.Add(buffer);
        buffer.Open();
        return buffer;
    }
}
