using System.Buffers;
using System.Buffers.Text;
using System.Text.Encodings.Web;

namespace PushQueue.Delivery.Encoding;

/// <summary>
/// A growing byte buffer for one page. One per thread, reused; keeps some head room so that a chunk header can go in front of
/// what was written without moving it.
/// </summary>
internal sealed class PageWriter
{
    /// <summary>Enough for a chunk header: eight hexadecimal digits and a line end.</summary>
    public const int HeadRoom = 10;

    private const int KeptBytesMax = 1024 * 1024;

    [ThreadStatic]
    private static PageWriter? _perThread;

    private byte[] _buffer = new byte[16 * 1024];
    private int _end = HeadRoom;

    public static PageWriter Rent()
    {
        var writer = _perThread ?? new PageWriter();
        _perThread = null;
        writer._end = HeadRoom;
        return writer;
    }

    public void Return()
    {
        if (_buffer.Length <= KeptBytesMax)
        {
            _perThread = this;
        }
    }

    /// <summary>Bytes written so far.</summary>
    public int Length => _end - HeadRoom;

    public void Write(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Room(bytes.Length));
        _end += bytes.Length;
    }

    public void Write(byte value)
    {
        Room(1)[0] = value;
        _end++;
    }

    public void WriteNumber(long value)
    {
        // 20 digits are the longest 64-bit number.
        _ = Utf8Formatter.TryFormat(value, Room(20), out var written);
        _end += written;
    }

    /// <summary>ISO 8601 in UTC, to the millisecond.</summary>
    public void WriteTime(DateTimeOffset time)
    {
        // The round-trip format has seven digits behind the point and costs a fraction of a format with three.
        const int ToTheMillisecond = 23;
        _ = Utf8Formatter.TryFormat(time.UtcDateTime, Room(32), out _, new StandardFormat('O'));
        _end += ToTheMillisecond;
        Write((byte)'Z');
    }

    /// <summary>As 16 hexadecimal digits.</summary>
    public void WriteHex(ulong value)
    {
        _ = Utf8Formatter.TryFormat(value, Room(16), out var written, new StandardFormat('x', 16));
        _end += written;
    }

    public void WriteUtf8(string text)
    {
        var room = Room(System.Text.Encoding.UTF8.GetMaxByteCount(text.Length));
        _end += System.Text.Encoding.UTF8.GetBytes(text, room);
    }

    /// <summary>A JSON string with its quotes.</summary>
    public void WriteJsonString(string text)
    {
        var rented = ArrayPool<byte>.Shared.Rent(System.Text.Encoding.UTF8.GetMaxByteCount(text.Length));
        var length = System.Text.Encoding.UTF8.GetBytes(text, rented);
        WriteJsonString(rented.AsSpan(0, length));
        ArrayPool<byte>.Shared.Return(rented);
    }

    /// <summary>A JSON string with its quotes, of valid UTF-8.</summary>
    public void WriteJsonString(ReadOnlySpan<byte> utf8)
    {
        Write((byte)'"');
        while (!utf8.IsEmpty)
        {
            // The encoder needs no more than 6 bytes for a byte of text; asking for less and growing on demand keeps large texts cheap.
            var room = Room(utf8.Length + 32);
            _ = JavaScriptEncoder.UnsafeRelaxedJsonEscaping.EncodeUtf8(utf8, room, out var consumed, out var written);
            _end += written;
            utf8 = utf8[consumed..];
        }

        Write((byte)'"');
    }

    public void WriteBase64(ReadOnlySpan<byte> bytes)
    {
        var room = Room(Base64.GetMaxEncodedToUtf8Length(bytes.Length));
        _ = Base64.EncodeToUtf8(bytes, room, out _, out var written);
        _end += written;
    }

    /// <summary>Bytes whose line ends become spaces: right for JSON, where a raw line end can only stand between tokens.</summary>
    public void WriteOneLine(ReadOnlySpan<byte> json)
    {
        var room = Room(json.Length)[..json.Length];
        json.CopyTo(room);
        room.Replace((byte)'\n', (byte)' ');
        room.Replace((byte)'\r', (byte)' ');
        _end += json.Length;
    }

    /// <summary>Reserves room that is written later, and tells where it is.</summary>
    public int Reserve(int bytes)
    {
        _ = Room(bytes);
        _end += bytes;
        return Length - bytes;
    }

    /// <summary>The bytes from a position on.</summary>
    public Span<byte> From(int position) => _buffer.AsSpan(HeadRoom + position, _end - HeadRoom - position);

    /// <summary>Takes back what was written from a position on.</summary>
    public void Truncate(int length) => _end = HeadRoom + length;

    /// <summary>Moves what was written from a position on, growing or shrinking the gap before it.</summary>
    public void Shift(int position, int by)
    {
        var length = Length - position;
        _ = Room(Math.Max(by, 0));
        _buffer.AsSpan(HeadRoom + position, length).CopyTo(_buffer.AsSpan(HeadRoom + position + by));
        _end += by;
    }

    /// <summary>Puts the finished header in front of everything written; at most <see cref="HeadRoom"/> bytes.</summary>
    public byte[] ToArray(ReadOnlySpan<byte> head = default)
    {
        var start = HeadRoom - head.Length;
        head.CopyTo(_buffer.AsSpan(start));
        return _buffer.AsSpan(start, _end - start).ToArray();
    }

    private Span<byte> Room(int bytes)
    {
        if (_buffer.Length - _end < bytes)
        {
            Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, _end + bytes));
        }

        return _buffer.AsSpan(_end);
    }
}
