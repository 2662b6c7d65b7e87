using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;

namespace PushQueue.SystemTests.Fuzzing;

/// <summary>One connection to the server that sends bytes as they are, whole or in pieces, and leaves in several ways.</summary>
internal sealed class FuzzSocket(Random random, FuzzTrace trace) : IDisposable
{
    private const int PiecesMax = 6;

    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly byte[] _buffer = new byte[64 * 1024];
    private Stream _stream = Stream.Null;

    public FuzzTrace Trace => trace;

    /// <param name="port">The port.</param>
    /// <param name="tls">The protocol to speak over TLS; null for no TLS.</param>
    public async Task ConnectAsync(int port, SslApplicationProtocol? tls = null)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        await _socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), patience.Token);
        _stream = new NetworkStream(_socket);
        if (tls is { } protocol)
        {
            var stream = new SslStream(_stream);
            _stream = stream;
            await stream.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = "127.0.0.1",
                    ApplicationProtocols = [protocol],
                    RemoteCertificateValidationCallback = static (_, _, _, _) => true,
                },
                patience.Token);
        }
    }

    /// <summary>Sends bytes; false where the server has ended the connection.</summary>
    public async Task<bool> SendAsync(byte[] bytes)
    {
        trace.Sent(bytes);
        var pieces = random.Next(5) == 0 ? random.Next(2, PiecesMax) : 1;
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        try
        {
            for (var sent = 0; sent < bytes.Length;)
            {
                var length = pieces > 1 ? Math.Min(bytes.Length - sent, random.Next(1, (bytes.Length / pieces) + 2)) : bytes.Length - sent;
                await _stream.WriteAsync(bytes.AsMemory(sent, length), patience.Token);
                sent += length;
                if (pieces > 1)
                {
                    await Task.Delay(TimeSpan.FromMilliseconds(random.Next(3)), TimeProvider.System);
                }
            }

            return true;
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>The next bytes; empty if none come for so many milliseconds, null at the end of the connection.</summary>
    public async Task<byte[]?> ReceiveAsync(int milliseconds)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(milliseconds));
        try
        {
            var length = await _stream.ReadAsync(_buffer, patience.Token);
            return length == 0 ? null : _buffer[..length];
        }
        catch (OperationCanceledException)
        {
            return [];
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            return null;
        }
    }

    /// <summary>Leaves: in the orderly way, with a reset, or by closing the sending half first.</summary>
    public void Dispose()
    {
        try
        {
            switch (random.Next(4))
            {
                case 0:
                    _socket.LingerState = new LingerOption(enable: true, seconds: 0);
                    break;
                case 1:
                    _socket.Shutdown(SocketShutdown.Send);
                    break;
            }
        }
        catch (SocketException)
        {
            // The server ended it first.
        }

        _socket.Dispose();
    }
}

/// <summary>The last bytes that the workers sent, for the report of a finding.</summary>
internal sealed class FuzzTrace
{
    private const int Kept = 12;
    private const int ShownMax = 1500;

    private readonly Queue<byte[]> _sent = new();

    public long Count { get; private set; }

    public void Sent(byte[] bytes)
    {
        lock (_sent)
        {
            Count++;
            _sent.Enqueue(bytes);
            if (_sent.Count > Kept)
            {
                _sent.Dequeue();
            }
        }
    }

    public override string ToString()
    {
        lock (_sent)
        {
            return string.Join('\n', _sent.Select(Shown));
        }
    }

    public static string Shown(byte[] bytes)
    {
        var text = new StringBuilder();
        foreach (var one in bytes.Take(ShownMax))
        {
            text.Append(one switch
            {
                (byte)'\\' => "\\\\",
                (byte)'\r' => "\\r",
                (byte)'\n' => "\\n",
                >= 0x20 and < 0x7f => $"{(char)one}",
                _ => $"\\x{one:x2}",
            });
        }

        return bytes.Length > ShownMax ? $"{text}… ({bytes.Length} bytes)" : text.ToString();
    }
}
