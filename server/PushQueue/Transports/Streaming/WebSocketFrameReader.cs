using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Unicode;
using PushQueue.Delivery.Encoding;

namespace PushQueue.Transports.Streaming;

/// <summary>
/// Reads a client's frames and puts fragments together. Its own rather than <c>WebSocket.CreateFromStream</c>, because that one answers
/// pings and closes by itself, between or into our writes. Holds a buffer only while bytes are there: an idle client waits in a
/// read of zero bytes.
/// </summary>
/// <param name="stream">Where the frames come from.</param>
/// <param name="messageBytesMax">The longest message, all fragments together.</param>
/// <param name="heard">Called whenever bytes come: a large frame over a slow line is a sign of life long before its end.</param>
internal sealed class WebSocketFrameReader(Stream stream, int messageBytesMax, Action heard) : IDisposable
{
    private const int BufferBytesMin = 4096;

    // A header may announce anything; memory is for what has come.
    private const int BufferBytesFirst = 64 * 1024;
    private const int ControlPayloadMax = 125;
    private const int HeaderBytesMax = 14;

    private byte[]? _buffer;
    private int _start;
    private int _end;
    private ArrayBufferWriter<byte>? _fragments;
    private WebSocketInput _fragmentsKind;

    /// <summary>The next message or control frame. The payload is valid until the next call.</summary>
    public async ValueTask<WebSocketFrame> ReadAsync()
    {
        while (true)
        {
            if (TryParse(out var frame, out var bytesNeeded))
            {
                if (frame.Kind != WebSocketInput.None)
                {
                    return frame;
                }

                continue;
            }

            if (!await FillAsync(bytesNeeded))
            {
                return new WebSocketFrame(WebSocketInput.End, default, null);
            }
        }
    }

    public void Dispose() => ReturnBuffer();

    /// <summary>
    /// True with a frame, or with none after taking in a fragment; false where more bytes are needed.
    /// </summary>
    private bool TryParse(out WebSocketFrame frame, out int bytesNeeded)
    {
        frame = default;
        bytesNeeded = 2;
        var input = _buffer.AsSpan(_start, _end - _start);
        if (input.Length < 2)
        {
            return false;
        }

        var opcode = input[0] & 0x0F;
        if ((input[0] & 0x70) != 0 || (input[1] & 0x80) == 0 || !IsKnown(opcode))
        {
            frame = Broken(CloseReason.ProtocolError);
            return true;
        }

        var headerLength = (input[1] & 0x7F) switch { 126 => 8, 127 => HeaderBytesMax, _ => 6 };
        bytesNeeded = headerLength;
        if (input.Length < headerLength)
        {
            return false;
        }

        var length = headerLength switch
        {
            6 => input[1] & 0x7F,
            8 => BinaryPrimitives.ReadUInt16BigEndian(input[2..]),
            _ => BinaryPrimitives.ReadUInt64BigEndian(input[2..]) is var large and <= int.MaxValue ? (long)large : long.MaxValue,
        };
        var final = (input[0] & 0x80) != 0;
        if (WhyRefused(opcode, final, length, headerLength) is { } reason)
        {
            frame = Broken(reason);
            return true;
        }

        bytesNeeded = headerLength + (int)length;
        if (input.Length < bytesNeeded)
        {
            return false;
        }

        var payload = _buffer.AsMemory(_start + headerLength, (int)length);
        Unmask(payload.Span, input.Slice(headerLength - 4, 4));
        _start += bytesNeeded;
        frame = Accept(opcode, final, payload);
        return true;
    }

    private CloseReason? WhyRefused(int opcode, bool final, long length, int headerLength)
    {
        if (opcode >= 8)
        {
            return final && length <= ControlPayloadMax ? null : CloseReason.ProtocolError;
        }

        if (length < LengthMin(headerLength))
        {
            return CloseReason.ProtocolError;
        }

        // A continuation needs a beginning, and a new message must not begin within another.
        if (opcode == 0 != (_fragments is not null))
        {
            return CloseReason.ProtocolError;
        }

        return length > messageBytesMax - (_fragments?.WrittenCount ?? 0) ? CloseReason.FrameTooLarge : null;
    }

    private WebSocketFrame Accept(int opcode, bool final, ReadOnlyMemory<byte> payload)
    {
        switch (opcode)
        {
            case 8:
                return WhyBadClose(payload.Span) is { } reason ? Broken(reason) : new WebSocketFrame(WebSocketInput.Close, payload, null);
            case 9:
                return new WebSocketFrame(WebSocketInput.Ping, payload, null);
            case 10:
                return new WebSocketFrame(WebSocketInput.Pong, payload, null);
        }

        var kind = opcode == 0 ? _fragmentsKind : (WebSocketInput)opcode;
        if (!final)
        {
            _fragments ??= new ArrayBufferWriter<byte>();
            _fragments.Write(payload.Span);
            _fragmentsKind = kind;
            return default;
        }

        if (_fragments is not null)
        {
            _fragments.Write(payload.Span);
            payload = _fragments.WrittenMemory;
            _fragments = null;
        }

        return kind == WebSocketInput.Text && !Utf8.IsValid(payload.Span)
            ? Broken(CloseReason.BadUtf8)
            : new WebSocketFrame(kind, payload, null);
    }

    /// <summary>Reads on until that many bytes are there, at least one more; false at the end of the stream.</summary>
    private async ValueTask<bool> FillAsync(int bytesNeeded)
    {
        try
        {
            if (_start == _end)
            {
                ReturnBuffer();
                _ = await stream.ReadAsync(Memory<byte>.Empty);
            }

            MakeRoom(bytesNeeded);
            var read = await stream.ReadAsync(_buffer.AsMemory(_end));
            _end += read;
            if (read == 0)
            {
                return false;
            }

            heard();
            return true;
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException or InvalidOperationException)
        {
            // The connection was cut, by the client or by us: the end, as far as reading goes.
            return false;
        }
    }

    private void MakeRoom(int bytesNeeded)
    {
        if (_buffer is null)
        {
            _buffer = ArrayPool<byte>.Shared.Rent(Math.Clamp(bytesNeeded, BufferBytesMin, BufferBytesFirst));
            return;
        }

        if (_start + (long)bytesNeeded <= _buffer.Length || (_start == 0 && _end < _buffer.Length))
        {
            return;
        }

        // Room is made first by moving the unread bytes to the front; only a buffer full of one frame grows.
        var target = _start > 0
            ? _buffer
            : ArrayPool<byte>.Shared.Rent((int)Math.Min(bytesNeeded, Math.Max(BufferBytesFirst, _buffer.Length * 2L)));
        _buffer.AsSpan(_start, _end - _start).CopyTo(target);
        if (!ReferenceEquals(target, _buffer))
        {
            ArrayPool<byte>.Shared.Return(_buffer);
        }

        _buffer = target;
        _end -= _start;
        _start = 0;
    }

    private void ReturnBuffer()
    {
        if (_buffer is not null)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = null;
        }

        _start = _end = 0;
    }

    /// <summary>RFC 6455, section 5.2: a length is written in the shortest form that holds it.</summary>
    private static int LengthMin(int headerLength) => headerLength switch { 6 => 0, 8 => 126, _ => ushort.MaxValue + 1 };

    /// <summary>RFC 6455, section 7.4, and the codes registered since: what a close frame may say. An empty one says nothing.</summary>
    private static CloseReason? WhyBadClose(ReadOnlySpan<byte> payload) =>
        payload.IsEmpty ? null
        : payload.Length == 1 || !IsCloseCode(BinaryPrimitives.ReadUInt16BigEndian(payload)) ? CloseReason.ProtocolError
        : Utf8.IsValid(payload[2..]) ? null
        : CloseReason.BadUtf8;

    private static bool IsCloseCode(int code) => code is (>= 1000 and <= 1003) or (>= 1007 and <= 1014) or (>= 3000 and <= 4999);

    private static bool IsKnown(int opcode) => opcode is 0 or 1 or 2 or 8 or 9 or 10;

    private static WebSocketFrame Broken(CloseReason reason) => new(WebSocketInput.Broken, default, reason);

    private static void Unmask(Span<byte> payload, ReadOnlySpan<byte> mask)
    {
        var word = MemoryMarshal.Read<uint>(mask);
        var wide = ((ulong)word << 32) | word;
        var words = MemoryMarshal.Cast<byte, ulong>(payload);
        for (var i = 0; i < words.Length; i++)
        {
            words[i] ^= wide;
        }

        for (var i = words.Length * sizeof(ulong); i < payload.Length; i++)
        {
            payload[i] ^= mask[i & 3];
        }
    }
}

/// <summary>A message or control frame of a client.</summary>
internal readonly record struct WebSocketFrame(WebSocketInput Kind, ReadOnlyMemory<byte> Payload, CloseReason? Broken);

/// <summary>The numbers of text and binary are those of the protocol.</summary>
internal enum WebSocketInput
{
    None = 0,
    Text = 1,
    Binary = 2,
    Close,
    Ping,
    Pong,

    /// <summary>The client broke a rule; the connection must be closed.</summary>
    Broken,

    /// <summary>The connection is gone.</summary>
    End,
}
