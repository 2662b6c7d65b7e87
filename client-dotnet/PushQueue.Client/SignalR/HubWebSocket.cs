using System.Net;
using System.Net.WebSockets;
using System.Runtime.Versioning;
using Microsoft.AspNetCore.Http.Connections.Client;

namespace PushQueue.Client.SignalR;

/// <summary>
/// Opens the WebSocket of a hub connection. SignalR's own factory does not report the status of a refusal, by which a stream tells a key
/// that the server does not know from a server that is away.
/// </summary>
/// <param name="tokens">Gives the key or token; null for none.</param>
/// <param name="invoker">Sends the handshake; null for a connection of its own.</param>
[UnsupportedOSPlatform("browser")]
internal sealed class HubWebSocket(Func<CancellationToken, ValueTask<string?>>? tokens, HttpMessageInvoker? invoker)
{
    public async ValueTask<WebSocket> ConnectAsync(WebSocketConnectionContext context, CancellationToken cancellationToken)
    {
        var socket = new ClientWebSocket();
        try
        {
            socket.Options.CollectHttpResponseDetails = true;
            if (tokens is not null && await tokens(cancellationToken).ConfigureAwait(false) is { } token)
            {
                socket.Options.SetRequestHeader("Authorization", $"Bearer {token}");
            }

            await socket.ConnectAsync(context.Uri, invoker, cancellationToken).ConfigureAwait(false);
            return socket;
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
    }
}
