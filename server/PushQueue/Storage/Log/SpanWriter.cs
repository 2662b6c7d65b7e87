using System.Buffers.Binary;
using System.Text;

namespace PushQueue.Storage.Log;

/// <summary>Writes the fields of a payload. The caller has made sure of the room (<see cref="StringBytesMax"/>, 10 bytes a
/// number).</summary>
internal ref struct SpanWriter(Span<byte> buffer)
{
    public const int NumberBytesMax = 10;

    private readonly Span<byte> _buffer = buffer;

    public int Written { get; private set; }

    /// <summary>The room behind what is written.</summary>
    public readonly Span<byte> Rest => _buffer[Written..];

    public static int StringBytesMax(string? text) => text is null ? 0 : NumberBytesMax + (text.Length * 3);

    public void Byte(byte value) => _buffer[Written++] = value;

    public void UInt16(ushort value)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(_buffer[Written..], value);
        Written += sizeof(ushort);
    }

    public void UInt32(uint value)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(_buffer[Written..], value);
        Written += sizeof(uint);
    }

    public void UInt64(ulong value)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(_buffer[Written..], value);
        Written += sizeof(ulong);
    }

    /// <summary>Seven bits a byte, low bits first; small numbers are short. Negative ones take ten bytes.</summary>
    public void Number(long value)
    {
        var rest = (ulong)value;
        while (rest >= 0x80)
        {
            _buffer[Written++] = (byte)(rest | 0x80);
            rest >>= 7;
        }

        _buffer[Written++] = (byte)rest;
    }

    public void Text(string text)
    {
        var length = Encoding.UTF8.GetByteCount(text);
        Number(length);
        Encoding.UTF8.GetBytes(text, _buffer[Written..]);
        Written += length;
    }

    public void Bytes(scoped ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_buffer[Written..]);
        Written += bytes.Length;
    }
}
