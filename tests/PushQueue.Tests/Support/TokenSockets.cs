using System.Net.WebSockets;
using System.Text;
using Xunit;

namespace PushQueue.Tests.Support;

/// <summary>Sockets that are opened with a key or token, and renew it.</summary>
internal static class TokenSockets
{
    /// <summary>
    /// The categories that log URLs, and arguments of calls: docs/SECURITY.md warns of them, and the host switches them off.
    /// </summary>
    public static readonly string[] LogsOfTheFramework =
    [
        "Microsoft.AspNetCore.Hosting.Diagnostics", "Microsoft.AspNetCore.SignalR.Internal.DefaultHubDispatcher",
    ];

    /// <summary>Opens <c>/ws</c> or <c>/hub</c>, and shakes hands with the hub.</summary>
    /// <param name="server">The server.</param>
    /// <param name="path">The path.</param>
    /// <param name="token">The key or token.</param>
    /// <param name="inSubprotocol">As a browser sends it.</param>
    public static async Task<ClientWebSocket> ConnectWithAsync(
        this PushQueueServer server, string path, string token, bool inSubprotocol = false)
    {
        var socket = new ClientWebSocket();
        if (inSubprotocol)
        {
            socket.Options.AddSubProtocol("pushqueue");
            socket.Options.AddSubProtocol($"pushqueue.token.{token}");
        }
        else
        {
            socket.Options.SetRequestHeader("Authorization", $"Bearer {token}");
        }

        await socket.ConnectAsync(new Uri($"ws://{server.Address.Authority}{path}"), CancellationToken.None).WithTimeout();
        if (path == "/hub")
        {
            await socket.SendAsync(HubSockets.Handshake);
            Assert.Equal("{}\u001e", await socket.NextAsync());
        }

        return socket;
    }

    /// <summary>Sends a command; the next frame after the opening of a stream.</summary>
    public static async Task<string> AskAsync(this ClientWebSocket socket, string command)
    {
        await socket.SendAsync(command);
        while (true)
        {
            if (await socket.NextOfAllAsync() is var answer && !StreamLines.IsOpening(answer))
            {
                return answer;
            }
        }
    }

    /// <summary>Renews by the command or the method of the path.</summary>
    public static async Task<string> RenewAsync(this ClientWebSocket socket, string path, string token)
    {
        if (path != "/hub")
        {
            return await socket.AskAsync($$"""{"cmd":"auth","token":"{{token}}"}""");
        }

        await socket.CallAsync("r", "Authenticate", $"\"{token}\"");
        return await socket.NextRecordAsync();
    }

    /// <summary>All that still comes, and the close code.</summary>
    public static async Task<string> EndAsync(this ClientWebSocket socket)
    {
        var said = new StringBuilder();
        var buffer = new byte[16 * 1024];
        while (socket.State == WebSocketState.Open)
        {
            var part = await socket.ReceiveAsync(buffer, CancellationToken.None).WithTimeout();
            said.Append(Encoding.UTF8.GetString(buffer, 0, part.Count));
        }

        return said.Append(' ').Append((int?)socket.CloseStatus).ToString();
    }
}
