using System.Buffers.Binary;
using System.Net.Sockets;

namespace PushQueue.Transports;

/// <summary>How far a TCP connection has come, as the kernel of Linux reports it.</summary>
/// <param name="Acknowledged">Bytes that the peer's system has acknowledged since the connection began.</param>
/// <param name="Queued">Bytes that were written to the socket in that time.</param>
/// <param name="IsEstablished">Neither side has begun to end the connection.</param>
/// <param name="IsClosed">The connection was reset, or this side has ended it: no write succeeds any more.</param>
internal readonly record struct TcpProgress(long Acknowledged, long Queued, bool IsEstablished, bool IsClosed)
{
    // struct tcp_info of linux/tcp.h, as of Linux 4.19.
    private const int TcpInfo = 11;
    private const int StateAt = 0;
    private const int AcknowledgedAt = 120;
    private const int NotSentAt = 144;
    private const int SentAt = 200;
    private const int RetransmittedAt = 208;
    private const int Length = 216;
    private const byte Established = 1;
    private const byte PeerHasEnded = 8;

    /// <summary>Null where the system does not report it. A socket that was disposed is closed.</summary>
    public static TcpProgress? Read(Socket socket)
    {
        if (!OperatingSystem.IsLinux() || socket.ProtocolType != ProtocolType.Tcp)
        {
            return null;
        }

        Span<byte> info = stackalloc byte[Length];
        try
        {
            if (socket.GetRawSocketOption((int)SocketOptionLevel.Tcp, TcpInfo, info) < Length)
            {
                return null;
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The web server has closed it.
            return new TcpProgress(0, 0, IsEstablished: false, IsClosed: true);
        }

        var sent = BinaryPrimitives.ReadInt64LittleEndian(info[SentAt..]) - BinaryPrimitives.ReadInt64LittleEndian(info[RetransmittedAt..]);
        return new TcpProgress(
            BinaryPrimitives.ReadInt64LittleEndian(info[AcknowledgedAt..]),
            sent + BinaryPrimitives.ReadUInt32LittleEndian(info[NotSentAt..]),
            info[StateAt] == Established,
            info[StateAt] is not (Established or PeerHasEnded));
    }
}
