using System.Buffers.Binary;

namespace PushQueue.Load.Protocols;

/// <summary>The head of a server's frame, and the frames a client sends.</summary>
internal static class WebSocketFrames
{
    internal const int Text = 1;
    internal const int Close = 8;
    internal const int Ping = 9;
    internal const int Pong = 10;
    internal const int ClientHeadBytesMax = 14;

    /// <summary>False where more bytes are needed. Server frames are never masked.</summary>
    internal static bool TryReadHead(ReadOnlySpan<byte> bytes, out int opcode, out long payload, out int headBytes)
    {
        opcode = 0;
        payload = 0;
        headBytes = 2;
        if (bytes.Length < 2)
        {
            return false;
        }

        opcode = bytes[0] & 0x0f;
        payload = bytes[1] & 0x7f;
        if (payload < 126)
        {
            return true;
        }

        headBytes = payload == 126 ? 4 : 10;
        if (bytes.Length < headBytes)
        {
            return false;
        }

        payload = payload == 126 ? BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]) : BinaryPrimitives.ReadInt64BigEndian(bytes[2..]);
        return true;
    }

    /// <summary>A masked frame's head; the mask is all zeros, so the payload follows as it is.</summary>
    internal static int WriteHead(Span<byte> to, int opcode, int payload)
    {
        to[0] = (byte)(0x80 | opcode);
        var at = 2;
        if (payload < 126)
        {
            to[1] = (byte)(0x80 | payload);
        }
        else if (payload <= ushort.MaxValue)
        {
            to[1] = 0x80 | 126;
            BinaryPrimitives.WriteUInt16BigEndian(to[2..], (ushort)payload);
            at = 4;
        }
        else
        {
            to[1] = 0x80 | 127;
            BinaryPrimitives.WriteInt64BigEndian(to[2..], payload);
            at = 10;
        }

        to.Slice(at, 4).Clear();
        return at + 4;
    }

    internal static byte[] Frame(int opcode, ReadOnlySpan<byte> payload)
    {
        Span<byte> head = stackalloc byte[ClientHeadBytesMax];
        var length = WriteHead(head, opcode, payload.Length);
        return [.. head[..length], .. payload];
    }

    internal static byte[] Handshake(string path, string headers) => System.Text.Encoding.UTF8.GetBytes(
        $"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}Upgrade: websocket\r\nConnection: Upgrade\r\n"
        + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: cHVzaHF1ZXVlLWxvYWQtMQ==\r\n\r\n");
}
