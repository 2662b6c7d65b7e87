using System.Net.WebSockets;
using System.Text.Json;
using Xunit;

namespace PushQueue.Tests.Support;

/// <summary>Hub clients that speak SignalR's JSON protocol by hand.</summary>
internal static class HubSockets
{
    public const string Handshake = "{\"protocol\":\"json\",\"version\":1}\u001e";

    /// <summary>Opens the hub's socket: by its id after a negotiation, or at once.</summary>
    public static async Task<ClientWebSocket> OpenHubAsync(this PushServer server, bool negotiate)
    {
        if (!negotiate)
        {
            return await server.ConnectAsync("/hub");
        }

        using var answer = await server.Http.PostAsync(
            new Uri($"http://{server.Address}/hub/negotiate?negotiateVersion=1"),
            content: null).WithTimeout();
        using var json = JsonDocument.Parse(await answer.Content.ReadAsStringAsync().WithTimeout());
        return await server.ConnectAsync($"/hub?id={json.RootElement.GetProperty("connectionToken").GetString()}");
    }

    /// <summary>Opens the hub's socket and shakes hands.</summary>
    /// <param name="server">The server.</param>
    /// <param name="negotiate">Whether the connection goes over SignalR's own transport.</param>
    /// <param name="packed">Whether it speaks MessagePack; see <see cref="PackedHubSocket"/>.</param>
    public static async Task<WebSocket> ConnectHubAsync(this PushServer server, bool negotiate, bool packed = false)
    {
        var opened = await server.OpenHubAsync(negotiate);
        WebSocket socket = packed ? new PackedHubSocket(opened) : opened;
        await socket.SendAsync(Handshake);
        Assert.Equal("{}\u001e", await socket.NextAsync());
        return socket;
    }

    /// <summary>Subscribes, and returns when it is answered.</summary>
    public static async Task SubscribeAsync(this WebSocket socket, string queue, string options = "{}")
    {
        await socket.CallAsync("s", "Subscribe", $"\"{queue}\",{options}");
        Assert.Contains("\"type\":3,\"invocationId\":\"s\",\"result\"", await socket.NextRecordAsync(), StringComparison.Ordinal);
    }

    public static Task CallAsync(this WebSocket socket, string id, string method, string arguments) =>
        socket.SendAsync(Call(id, method, arguments));

    public static string Call(string id, string method, string arguments) =>
        $"{{\"type\":1,\"invocationId\":\"{id}\",\"target\":\"{method}\",\"arguments\":[{arguments}]}}\u001e";

    /// <summary>The next message that is not a ping; it may hold several records.</summary>
    public static async Task<string> NextRecordAsync(this WebSocket socket)
    {
        while (true)
        {
            if (await socket.NextAsync() is var record && record != "{\"type\":6}\u001e")
            {
                return record;
            }
        }
    }

    /// <summary>That many records, however they were put together.</summary>
    public static async Task<List<string>> NextRecordsAsync(this WebSocket socket, int count)
    {
        var records = new List<string>();
        while (records.Count < count)
        {
            records.AddRange((await socket.NextRecordAsync()).Split('\u001e', StringSplitOptions.RemoveEmptyEntries));
        }

        return records;
    }
}
