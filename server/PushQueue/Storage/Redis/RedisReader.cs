using System.Buffers.Binary;
using System.Text;

namespace PushQueue.Storage.Redis;

/// <summary>
/// Reads what scripts packed: big-endian numbers, times as 64-bit floats of Unix milliseconds, texts behind their length (u16).
/// </summary>
internal ref struct RedisReader(ReadOnlySpan<byte> rest)
{
    private ReadOnlySpan<byte> _rest = rest;

    public readonly bool IsAtEnd => _rest.IsEmpty;

    public byte Byte()
    {
        var value = _rest[0];
        _rest = _rest[1..];
        return value;
    }

    public int Int32()
    {
        var value = BinaryPrimitives.ReadUInt32BigEndian(_rest);
        _rest = _rest[4..];
        return (int)value;
    }

    public ulong UInt64()
    {
        var value = BinaryPrimitives.ReadUInt64BigEndian(_rest);
        _rest = _rest[8..];
        return value;
    }

    public double Double()
    {
        var value = BinaryPrimitives.ReadDoubleBigEndian(_rest);
        _rest = _rest[8..];
        return value;
    }

    public DateTimeOffset Time() => DateTimeOffset.FromUnixTimeMilliseconds((long)Double());

    public void Skip(int bytes) => _rest = _rest[bytes..];

    public ReadOnlySpan<byte> Bytes()
    {
        var length = BinaryPrimitives.ReadUInt16BigEndian(_rest);
        var bytes = _rest.Slice(2, length);
        _rest = _rest[(2 + length)..];
        return bytes;
    }

    public string Text() => Encoding.UTF8.GetString(Bytes());

    /// <summary>A content type; the common ones are shared strings.</summary>
    public string ContentType()
    {
        var bytes = Bytes();
        if (bytes.SequenceEqual("application/json"u8))
        {
            return "application/json";
        }

        return bytes.SequenceEqual("text/plain"u8) ? "text/plain" : Encoding.UTF8.GetString(bytes);
    }
}
