using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace PushQueue.Tests.Support;

/// <summary>One HTTP/1.1 connection that stays the same, whatever is sent over it.</summary>
internal sealed class RawHttp : IDisposable
{
    private readonly TcpClient _client = new();
    private readonly StreamReader _reader;

    public RawHttp(int port)
    {
        _client.Connect(IPAddress.Loopback, port);
        _reader = new StreamReader(_client.GetStream(), Encoding.ASCII);
    }

    /// <summary>Sends a request with a body of one character and reads its whole answer; the status.</summary>
    public async Task<int> AskAsync(string method, string path, string? key)
    {
        var authorization = key is null ? "" : $"Authorization: Bearer {key}\r\n";
        var request = $"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{authorization}Content-Length: 1\r\n\r\nx";
        await _client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(request)).AsTask().WithTimeout();
        var status = await _reader.ReadLineAsync().WithTimeout();
        var length = 0;
        while (await _reader.ReadLineAsync().WithTimeout() is { Length: > 0 } header)
        {
            if (header.StartsWith("Content-Length: ", StringComparison.OrdinalIgnoreCase))
            {
                length = int.Parse(header["Content-Length: ".Length..], CultureInfo.InvariantCulture);
            }
        }

        _ = await _reader.ReadBlockAsync(new char[length]).AsTask().WithTimeout();
        return int.Parse(status!.Split(' ')[1], CultureInfo.InvariantCulture);
    }

    public void Dispose()
    {
        _reader.Dispose();
        _client.Dispose();
    }
}
