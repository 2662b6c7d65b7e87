using System.Net;
using System.Net.WebSockets;
using Microsoft.AspNetCore.Connections;

namespace PushQueue.Client.SignalR;

/// <summary>
/// Connects SignalR by WebSocket, without negotiation, so that servers behind a load balancer need no sticky sessions. The package
/// Microsoft.AspNetCore.SignalR.Client does the same with <c>SkipNegotiation</c>.
/// </summary>
/// <param name="authorization">The header; null for none.</param>
/// <param name="invoker">Sends the handshake; null for a connection of its own.</param>
internal sealed class WebSocketConnectionFactory(string? authorization, HttpMessageInvoker? invoker) : IConnectionFactory
{
    public async ValueTask<ConnectionContext> ConnectAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        if (endpoint is not UriEndPoint { Uri: var uri })
        {
            throw new NotSupportedException($"A WebSocket needs a URI, not {endpoint}.");
        }

        var socket = new ClientWebSocket();
        try
        {
            socket.Options.CollectHttpResponseDetails = true;
            if (authorization is not null)
            {
                socket.Options.SetRequestHeader("Authorization", authorization);
            }

            await socket.ConnectAsync(uri, invoker, cancellationToken).ConfigureAwait(false);
        }
        catch (WebSocketException e) when (socket.HttpStatusCode != default(HttpStatusCode))
        {
            var status = socket.HttpStatusCode;
            socket.Dispose();
            throw new HttpRequestException($"The server refused the WebSocket with {(int)status}.", e, status);
        }
        catch
        {
            socket.Dispose();
            throw;
        }

        return new WebSocketConnection(socket, endpoint);
    }
}
