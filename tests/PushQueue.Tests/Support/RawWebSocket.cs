using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using Xunit;

namespace PushQueue.Tests.Support;

/// <summary>A WebSocket client that sends frames as they are told to it and sees those that come.</summary>
internal sealed class RawWebSocket : IDisposable
{
    private readonly TcpClient _client = new();
    private NetworkStream _stream = null!;

    public static async Task<RawWebSocket> ConnectAsync(string address, string path)
    {
        var socket = new RawWebSocket();
        await socket._client.ConnectAsync("127.0.0.1", int.Parse(address.Split(':')[1])).WithTimeout();
        socket._stream = socket._client.GetStream();
        await socket._stream.WriteAsync(Encoding.ASCII.GetBytes(
            $"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")).WithTimeout();
        var answer = new StringBuilder();
        var one = new byte[1];
        while (!answer.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            await socket._stream.ReadExactlyAsync(one).WithTimeout();
            answer.Append((char)one[0]);
        }

        Assert.StartsWith("HTTP/1.1 101", answer.ToString(), StringComparison.Ordinal);
        return socket;
    }

    /// <summary>Sends a frame of up to 125 bytes with a mask of zeros.</summary>
    public Task SendAsync(byte first, string payload)
    {
        var bytes = Encoding.UTF8.GetBytes(payload);
        return _stream.WriteAsync((byte[])[first, (byte)(0x80 | bytes.Length), 0, 0, 0, 0, .. bytes]).WithTimeout();
    }

    /// <summary>The next frame: its first byte and what it carries.</summary>
    public async Task<(byte First, byte[] Payload)> NextAsync()
    {
        var header = new byte[2];
        await _stream.ReadExactlyAsync(header).WithTimeout();
        var more = new byte[header[1] switch { 126 => 2, 127 => 8, _ => 0 }];
        await _stream.ReadExactlyAsync(more).WithTimeout();
        var length = more.Length switch
        {
            2 => BinaryPrimitives.ReadUInt16BigEndian(more),
            8 => BinaryPrimitives.ReadInt64BigEndian(more),
            _ => header[1],
        };
        var payload = new byte[length];
        await _stream.ReadExactlyAsync(payload).WithTimeout();
        return (header[0], payload);
    }

    public void Dispose() => _client.Dispose();
}
