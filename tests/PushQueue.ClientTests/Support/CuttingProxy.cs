using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace PushQueue.ClientTests.Support;

/// <summary>
/// Stands between a client and a server that may come back on another port. Cuts all connections when told to, and counts those that are
/// open.
/// </summary>
internal sealed class CuttingProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentDictionary<Connection, byte> _open = new();
    private readonly Task _accepting;
    private volatile Uri? _target;

    public CuttingProxy(Uri target)
    {
        _target = target;
        _listener.Start();
        Address = new Uri($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");
        _accepting = AcceptAllAsync();
    }

    public Uri Address { get; }

    /// <summary>Connections that the client has open here.</summary>
    public int Open => _open.Count;

    /// <summary>Where new connections go; null: they are cut at once, as if the server were away.</summary>
    public Uri? Target
    {
        set => _target = value;
    }

    /// <summary>Resets every connection, both ways, whatever is under way.</summary>
    public void Cut()
    {
        foreach (var connection in _open.Keys)
        {
            connection.Cut();
        }
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        Cut();
        await _accepting;
    }

    private async Task AcceptAllAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptSocketAsync();
                var connection = new Connection(client);
                _open[connection] = 0;
                _ = ServeAsync(connection);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // The test is over.
        }
    }

    private async Task ServeAsync(Connection connection)
    {
        try
        {
            if (_target is { } target)
            {
                await connection.RunAsync(target);
            }
        }
        catch (Exception e) when (e is SocketException or IOException or ObjectDisposedException)
        {
            // Cut, or closed in the middle of something; both halves end.
        }
        finally
        {
            connection.Cut();
            _open.TryRemove(connection, out _);
        }
    }

    private sealed class Connection(Socket client)
    {
        private readonly Socket _server = new(SocketType.Stream, ProtocolType.Tcp);
        private int _cut;

        public async Task RunAsync(Uri target)
        {
            await _server.ConnectAsync(target.Host, target.Port);
            await Task.WhenAny(CopyAsync(client, _server), CopyAsync(_server, client));
        }

        public void Cut()
        {
            if (Interlocked.Exchange(ref _cut, 1) == 1)
            {
                return;
            }

            foreach (var socket in (Socket[])[client, _server])
            {
                // Reset, not closed in good order.
                socket.LingerState = new LingerOption(enable: true, seconds: 0);
                socket.Dispose();
            }
        }

        private static async Task CopyAsync(Socket from, Socket to)
        {
            await using var source = new NetworkStream(from);
            await using var target = new NetworkStream(to);
            await source.CopyToAsync(target);
        }
    }
}
