using System.Buffers.Binary;
using System.Text;

namespace PushQueue.Storage.Log;

/// <summary>Reads the fields of a payload whose checksum was right.</summary>
/// <exception cref="InvalidDataException">Thrown by all members where the payload ends too early: it was written by something
/// else.</exception>
internal ref struct SpanReader(ReadOnlySpan<byte> buffer)
{
    private readonly ReadOnlySpan<byte> _buffer = buffer;

    public int Position { get; private set; }

    public readonly int Remaining => _buffer.Length - Position;

    public byte Byte() => Take(1)[0];

    public ushort UInt16() => BinaryPrimitives.ReadUInt16LittleEndian(Take(sizeof(ushort)));

    public uint UInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(sizeof(uint)));

    public ulong UInt64() => BinaryPrimitives.ReadUInt64LittleEndian(Take(sizeof(ulong)));

    public long Number()
    {
        ulong value = 0;
        for (var shift = 0; shift < 70; shift += 7)
        {
            var b = Byte();
            value |= (ulong)(b & 0x7F) << shift;
            if (b < 0x80)
            {
                return (long)value;
            }
        }

        throw new InvalidDataException("A number in the record does not end.");
    }

    /// <summary>How many items follow, each of at least a byte.</summary>
    public int Count()
    {
        var count = Number();
        return count >= 0 && count <= Remaining ? (int)count : throw new InvalidDataException("The record ends too early.");
    }

    public string Text()
    {
        var length = Number();
        return Encoding.UTF8.GetString(Take(length));
    }

    public ReadOnlySpan<byte> Bytes(int length) => Take(length);

    public ReadOnlySpan<byte> Rest() => Take(Remaining);

    private ReadOnlySpan<byte> Take(long length)
    {
        if (length < 0 || length > Remaining)
        {
            throw new InvalidDataException("The record ends too early.");
        }

        var bytes = _buffer.Slice(Position, (int)length);
        Position += (int)length;
        return bytes;
    }
}
