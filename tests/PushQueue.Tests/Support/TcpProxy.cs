using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace PushQueue.Tests.Support;

/// <summary>
/// A network between a program and a server that a test can break: cut what is connected, refuse what comes, hold what flows.
/// </summary>
internal sealed class TcpProxy : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentDictionary<Socket, byte> _sockets = new();
    private readonly Task _accepting;
    private volatile TaskCompletionSource _flowing = Completed();
    private volatile bool _refuses;

    public TcpProxy(int target)
    {
        Target = target;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>The port of the server for the next connections.</summary>
    public int Target { get; set; }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public string Address => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{Port}");

    /// <summary>Changes in place what clients send, a piece as it comes at a time.</summary>
    public Action<Memory<byte>>? Tamper { get; set; }

    /// <summary>
    /// Resets a connection instead of passing an answer on for which this is true: what was asked for is done, and nobody knows.
    /// </summary>
    public Func<ReadOnlyMemory<byte>, bool>? LosesAnswer { get; set; }

    /// <summary>Resets every connection; new ones come through.</summary>
    public void Cut()
    {
        foreach (var (socket, _) in _sockets)
        {
            Reset(socket);
        }
    }

    /// <summary>Cuts, and resets whatever connects from now on.</summary>
    public void Refuse()
    {
        _refuses = true;
        Cut();
    }

    public void Accept() => _refuses = false;

    /// <summary>Holds every byte, in both directions; the connections stand.</summary>
    public void Freeze() => _flowing = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Thaw() => _flowing.TrySetResult();

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _accepting;
        _listener.Stop();
        Thaw();
        Refuse();
        _stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptSocketAsync(_stopping.Token);
                if (_refuses)
                {
                    Reset(client);
                    continue;
                }

                _ = ConnectAsync(client);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task ConnectAsync(Socket client)
    {
        var server = new Socket(SocketType.Stream, ProtocolType.Tcp);
        _ = _sockets.TryAdd(client, 0);
        _ = _sockets.TryAdd(server, 0);
        try
        {
            await server.ConnectAsync(IPAddress.Loopback, Target, _stopping.Token);
            client.NoDelay = server.NoDelay = true;
            await Task.WhenAny(CopyAsync(client, server, PassOn), CopyAsync(server, client, piece => LosesAnswer?.Invoke(piece) != true));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The server is gone: the client gets a reset, as without the proxy.
        }

        Reset(client);
        Reset(server);
    }

    private bool PassOn(Memory<byte> piece)
    {
        Tamper?.Invoke(piece);
        return true;
    }

    private async Task CopyAsync(Socket from, Socket to, Func<Memory<byte>, bool> passesOn)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (await from.ReceiveAsync(buffer, _stopping.Token) is > 0 and var count)
            {
                await _flowing.Task;
                if (!passesOn(buffer.AsMemory(0, count)))
                {
                    return;
                }

                for (var sent = 0; sent < count;)
                {
                    sent += await to.SendAsync(buffer.AsMemory(sent, count - sent), _stopping.Token);
                }
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // One end is gone.
        }
    }

    private void Reset(Socket socket)
    {
        _ = _sockets.TryRemove(socket, out _);
        socket.Close(0);
    }

    private static TaskCompletionSource Completed()
    {
        var completed = new TaskCompletionSource();
        completed.SetResult();
        return completed;
    }
}
