using System.Collections.Concurrent;
using Microsoft.AspNetCore.Http.Connections.Features;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.Logging;
using PushQueue.Delivery;

namespace PushQueue.Transports.SignalR;

/// <summary>
/// The door through which ready pages reach hub connections: SignalR gives a lifetime manager each <see cref="HubConnectionContext"/>,
/// a hub only proxies that serialize again for each message. A connection that came through <see cref="HubSocketEndpoint"/> brings its
/// buffer along, past SignalR; to any other SignalR itself writes the pages.
/// </summary>
internal sealed class PushLifetimeManager(
    Dispatcher dispatcher,
    ConsumerConnections sessions,
    ConnectionCallers callers,
    ILogger<DefaultHubLifetimeManager<PushHub>> logger) : DefaultHubLifetimeManager<PushHub>(logger)
{
    private readonly ConcurrentDictionary<string, HubClient> _clients = new(StringComparer.Ordinal);

    public HubClient? Find(string connectionId) => _clients.GetValueOrDefault(connectionId);

    public override Task OnConnectedAsync(HubConnectionContext connection)
    {
        var client = connection.Features.Get<OutboundBuffer>() is { } own
            ? new HubClient(own, HubFrameFormat.Envelopes, HubFrameFormat.Raw, Session: null)
            : Open(connection);
        _clients[connection.ConnectionId] = client;
        if (client.Session is not null && !client.TryConnect())
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
            if (client.Session is { } session)
            {
                await session.DisposeAsync();
            }
            else
            {
                // The messages that the consumer holds go back now, not after its closing notice is written.
                dispatcher.UnsubscribeAll(client.Buffer);
            }
        }

        await base.OnDisconnectedAsync(connection);
    }

    private HubClient Open(HubConnectionContext connection)
    {
        var http = connection.Features.Get<IHttpContextFeature>()?.HttpContext;
        var address = http?.Connection.RemoteIpAddress?.ToString();
        var session = sessions.Begin(new HubConsumerConnection(connection, callers.Of(connection.User), address));
        session.Buffer.Open();
        return new HubClient(session.Buffer, HubFormat.Envelopes, HubFormat.Raw, session);
    }
}
