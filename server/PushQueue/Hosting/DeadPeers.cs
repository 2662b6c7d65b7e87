using System.Buffers.Binary;
using System.Net.Sockets;

namespace PushQueue.Hosting;

/// <summary>
/// Ends connections whose peer has vanished without a word: power off, a cable pulled, a NAT entry dropped. Linux alone retransmits for about
/// 16 minutes, and as long such a consumer keeps its turn under roundrobin. Keepalive finds an idle peer, the user timeout one to which data is
/// under way. Both let a peer live that merely reads slowly, for at least the stall timeout.
/// </summary>
internal static class DeadPeers
{
    // linux/tcp.h; .NET has no name for it.
    private const int TcpUserTimeout = 18;

    private const int Probes = 3;

    /// <summary>Half of the time passes before the first probe, the other half is for the probes.</summary>
    /// <param name="socket">An accepted socket; one that is no TCP socket is left alone.</param>
    /// <param name="timeout">How long a peer may be silent, at least 6 seconds; the system counts whole seconds.</param>
    /// <param name="stallTimeout">How long a peer that answers may take nothing; the user timeout counts that time, too.</param>
    public static void Detect(Socket socket, TimeSpan timeout, TimeSpan stallTimeout)
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
            Span<byte> milliseconds = stackalloc byte[sizeof(int)];
            BinaryPrimitives.WriteInt32LittleEndian(milliseconds, (int)Math.Max(timeout.TotalMilliseconds, 2 * stallTimeout.TotalMilliseconds));
            socket.SetRawSocketOption((int)SocketOptionLevel.Tcp, TcpUserTimeout, milliseconds);
        }
    }
}
