using System.Net;
using System.Net.Sockets;

namespace PushQueue.SystemTests.History;

/// <summary>
/// Stands between clients and one server, under an address that stays when the server gets another one, and cuts connections on demand.
/// It passes on every byte that the server sent before it died.
/// </summary>
internal sealed class CuttingProxy : IAsyncDisposable
{
    // A network holds little, so that a server soon feels a reader that has stopped.
    private const int SocketBufferBytes = 64 * 1024;

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Lock _gate = new();
    private readonly List<(Socket Client, Socket Server)> _connections = [];
    private readonly Task _accepting;
    private IPEndPoint _target;

    public CuttingProxy(Uri target)
    {
        _target = EndPointOf(target);
        _listener.Start();
        Address = new Uri($"http://{_listener.LocalEndpoint}");
        _accepting = AcceptAsync();
    }

    public Uri Address { get; }

    public void PointTo(Uri target) => Volatile.Write(ref _target, EndPointOf(target));

    /// <summary>Cuts one connection, as a network does that loses it: whatever is under way is gone.</summary>
    public void CutOne(Random random)
    {
        lock (_gate)
        {
            if (_connections.Count > 0)
            {
                Cut(_connections[random.Next(_connections.Count)]);
            }
        }
    }

    public void CutAll()
    {
        lock (_gate)
        {
            _connections.ForEach(Cut);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        CutAll();
        await _accepting;
    }

    private static IPEndPoint EndPointOf(Uri address) => new(IPAddress.Parse(address.Host), address.Port);

    private static void Cut((Socket Client, Socket Server) connection)
    {
        Reset(connection.Client);
        Reset(connection.Server);
    }

    /// <summary>A reset instead of an orderly end; what waits to be sent is dropped.</summary>
    private static void Reset(Socket socket)
    {
        try
        {
            socket.LingerState = new LingerOption(enable: true, seconds: 0);
            socket.Dispose();
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It has just ended by itself.
        }
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _ = ServeAsync(await _listener.AcceptSocketAsync());
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The run is over.
        }
    }

    private async Task ServeAsync(Socket client)
    {
        using var server = new Socket(
            AddressFamily.InterNetwork,
            SocketType.Stream,
            ProtocolType.Tcp) { ReceiveBufferSize = SocketBufferBytes };
        using var owned = client;
        var connection = (client, server);
        try
        {
            await server.ConnectAsync(Volatile.Read(ref _target));
            client.NoDelay = server.NoDelay = true;
            client.SendBufferSize = SocketBufferBytes;
            lock (_gate)
            {
                _connections.Add(connection);
            }

            var up = PassOnAsync(client, server);
            await PassOnAsync(server, client);
            server.Dispose();
            await up;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Nobody serves at the moment, or the connection was cut: the client sees it end.
        }
        finally
        {
            lock (_gate)
            {
                _connections.Remove(connection);
            }
        }
    }

    private static async Task PassOnAsync(Socket from, Socket to)
    {
        var buffer = new byte[32 * 1024];
        try
        {
            while (await from.ReceiveAsync(buffer) is > 0 and var length)
            {
                for (var sent = 0; sent < length;)
                {
                    sent += await to.SendAsync(buffer.AsMemory(sent, length - sent));
                }
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // One side is gone, which the other is told now.
        }

        End(to);
    }

    private static void End(Socket socket)
    {
        try
        {
            socket.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It has ended already.
        }
    }
}
