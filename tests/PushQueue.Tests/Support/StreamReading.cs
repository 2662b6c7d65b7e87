using System.Net.WebSockets;
using System.Text;
using Microsoft.AspNetCore.Hosting;
using PushQueue.Hosting;
using Xunit;

namespace PushQueue.Tests.Support;

/// <summary>Short ways to read what streams say, each bounded in time.</summary>
internal static class StreamReading
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    public static void ConfigureKestrelTo(this IWebHostBuilder builder) =>
        builder.ConfigureKestrel(kestrel => kestrel.Listen(System.Net.IPAddress.Loopback, 0, listen => listen.UseDirectSocketOutput()));

    /// <summary>The next line that is not empty.</summary>
    public static async Task<string> NextLineAsync(this StreamLines reader)
    {
        while (true)
        {
            var line = await reader.ReadLineAsync().WaitAsync(Patience);
            Assert.NotNull(line);
            if (line.Length > 0)
            {
                return line;
            }
        }
    }

    public static async Task<List<string>> NextLinesAsync(this StreamLines reader, int count)
    {
        var lines = new List<string>();
        while (lines.Count < count)
        {
            lines.Add(await reader.NextLineAsync());
        }

        return lines;
    }

    public static Task SendAsync(this WebSocket socket, string text) =>
        socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);

    /// <summary>The next message, without the opening of a broadcast stream; of a close, its code and sentence.</summary>
    public static async Task<string> NextAsync(this WebSocket socket)
    {
        var text = await socket.NextOfAllAsync();
        return StreamLines.IsOpening(text) ? await socket.NextOfAllAsync() : text;
    }

    /// <summary>The next message, the opening included.</summary>
    public static async Task<string> NextOfAllAsync(this WebSocket socket)
    {
        var buffer = new byte[64 * 1024];
        var length = 0;
        while (true)
        {
            var result = await socket.ReceiveAsync(buffer.AsMemory(length), CancellationToken.None).AsTask().WaitAsync(Patience);
            length += result.Count;
            if (length == buffer.Length)
            {
                Array.Resize(ref buffer, length * 2);
            }

            if (result.MessageType == WebSocketMessageType.Close)
            {
                return $"close {(int?)socket.CloseStatus} {socket.CloseStatusDescription}";
            }

            if (result.EndOfMessage)
            {
                return Encoding.UTF8.GetString(buffer, 0, length);
            }
        }
    }
}
