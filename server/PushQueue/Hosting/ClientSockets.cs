using System.Buffers.Binary;
using System.Net.Sockets;

namespace PushQueue.Hosting;

/// <summary>
/// Sets the options of each accepted connection in the kernel. They end connections whose peer has vanished silently: power off, a cable
/// pulled, a NAT entry dropped. Linux alone retransmits for about 16 minutes, and as long such a consumer keeps its turn under roundrobin.
/// Keepalive finds an idle peer, the user timeout one to which data is under way. A peer that merely reads slowly lives for at least the
/// stall timeout.
/// </summary>
internal static class ClientSockets
{
    // linux/tcp.h; .NET has no name for it.
    private const int TcpUserTimeout = 18;

    // linux/tcp.h, likewise.
    private const int TcpNotSentLowWater = 25;

    // As much as a fast network sends while a thread wakes up. Beyond it a write is pending here, where it is counted and can be dropped,
    // and does not fill the kernel, which takes up to 4 MiB for each connection and in a container counts it as the container's memory.
    private const int NotSentBytes = 128 * 1024;

    private const int Probes = 3;

    /// <summary>Half of the time passes before the first probe, the other half is for the probes.</summary>
    /// <param name="socket">An accepted socket; a socket of another kind is left alone.</param>
    /// <param name="timeout">How long a peer may be silent, at least 6 seconds; the system counts whole seconds.</param>
    /// <param name="stallTimeout">How long a peer that answers may take nothing; the user timeout counts that time, too.</param>
    public static void Configure(Socket socket, TimeSpan timeout, TimeSpan stallTimeout)
    {
        if (socket.ProtocolType != ProtocolType.Tcp)
        {
            return;
        }

        var seconds = (int)timeout.TotalSeconds;
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, seconds / 2);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, seconds / 2 / Probes);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, Probes);
        if (OperatingSystem.IsLinux())
        {
            SetTcp(socket, TcpUserTimeout, (int)Math.Max(timeout.TotalMilliseconds, 2 * stallTimeout.TotalMilliseconds));
            SetTcp(socket, TcpNotSentLowWater, NotSentBytes);
        }
    }

    private static void SetTcp(Socket socket, int option, int value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
        socket.SetRawSocketOption((int)SocketOptionLevel.Tcp, option, bytes);
    }
}
