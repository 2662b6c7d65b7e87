using System.Net;
using System.Net.WebSockets;
using Microsoft.AspNetCore.Connections;

namespace DotNetConsumer;

/// <summary>
/// Connects by WebSocket, without negotiation. The package Microsoft.AspNetCore.SignalR.Client brings the same as <c>WithUrl(…)</c> with
/// <c>SkipNegotiation</c>; an application that has it needs neither this class nor <see cref="WebSocketConnection"/>.
/// </summary>
internal sealed class WebSocketConnectionFactory : IConnectionFactory
{
    public async ValueTask<ConnectionContext> ConnectAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        var socket = new ClientWebSocket();
        try
        {
            await socket.ConnectAsync(((UriEndPoint)endpoint).Uri, cancellationToken);
        }
        catch
        {
            socket.Dispose();
            throw;
        }

        return new WebSocketConnection(socket);
    }
}
