using System.Buffers.Binary;
using System.Buffers.Text;
using System.Text;
using PushQueue.Delivery.Encoding;

namespace PushQueue.Transports.Packing;

/// <summary>
/// Writes single MessagePack values, each in its shortest form (https://github.com/msgpack/msgpack/blob/master/spec.md). By hand, because
/// pages are written by <see cref="PageWriter"/>, in which the head of a list can be written after its elements.
/// </summary>
internal static class Pack
{
    public const byte EmptyMap = 0x80;
    public const byte EmptyList = 0x90;
    public const byte Nil = 0xC0;

    /// <summary>The most elements of a list or map whose head is one byte.</summary>
    public const int ShortCountMax = 15;

    private const int HeadBytesMax = 5;

    public static void WriteBoolean(PageWriter writer, bool value) => writer.Write((byte)(value ? 0xC3 : 0xC2));

    public static void WriteInteger(PageWriter writer, long value)
    {
        if (value >= 0)
        {
            WriteInteger(writer, (ulong)value);
            return;
        }

        Span<byte> bytes = stackalloc byte[9];
        BinaryPrimitives.WriteInt64BigEndian(bytes[1..], value);
        switch (value)
        {
            case >= -32:
                writer.Write((byte)value);
                break;
            case >= sbyte.MinValue:
                WriteSized(writer, bytes, 0xD0, 1);
                break;
            case >= short.MinValue:
                WriteSized(writer, bytes, 0xD1, 2);
                break;
            case >= int.MinValue:
                WriteSized(writer, bytes, 0xD2, 4);
                break;
            default:
                WriteSized(writer, bytes, 0xD3, 8);
                break;
        }
    }

    public static void WriteInteger(PageWriter writer, ulong value)
    {
        Span<byte> bytes = stackalloc byte[9];
        BinaryPrimitives.WriteUInt64BigEndian(bytes[1..], value);
        switch (value)
        {
            case <= 0x7F:
                writer.Write((byte)value);
                break;
            case <= byte.MaxValue:
                WriteSized(writer, bytes, 0xCC, 1);
                break;
            case <= ushort.MaxValue:
                WriteSized(writer, bytes, 0xCD, 2);
                break;
            case <= uint.MaxValue:
                WriteSized(writer, bytes, 0xCE, 4);
                break;
            default:
                WriteSized(writer, bytes, 0xCF, 8);
                break;
        }
    }

    public static void WriteDouble(PageWriter writer, double value)
    {
        Span<byte> bytes = stackalloc byte[9];
        bytes[0] = 0xCB;
        BinaryPrimitives.WriteDoubleBigEndian(bytes[1..], value);
        writer.Write(bytes);
    }

    /// <param name="writer">Where to.</param>
    /// <param name="utf8">Valid UTF-8.</param>
    public static void WriteText(PageWriter writer, ReadOnlySpan<byte> utf8)
    {
        Span<byte> head = stackalloc byte[HeadBytesMax];
        writer.Write(head[..TextHead(head, utf8.Length)]);
        writer.Write(utf8);
    }

    public static void WriteText(PageWriter writer, string text)
    {
        Span<byte> head = stackalloc byte[HeadBytesMax];
        writer.Write(head[..TextHead(head, Encoding.UTF8.GetByteCount(text))]);
        writer.WriteUtf8(text);
    }

    /// <summary>A whole number as text in decimal digits.</summary>
    public static void WriteDigits(PageWriter writer, long value)
    {
        Span<byte> digits = stackalloc byte[20];
        _ = Utf8Formatter.TryFormat(value, digits, out var length);
        WriteText(writer, digits[..length]);
    }

    public static void WriteBytes(PageWriter writer, ReadOnlySpan<byte> bytes)
    {
        Span<byte> head = stackalloc byte[HeadBytesMax];
        writer.Write(head[..Head(head, bytes.Length, 0xC4, 0xC5, 0xC6)]);
        writer.Write(bytes);
    }

    /// <summary>Writes the head of a text and returns how long it is: 1 to 5 bytes.</summary>
    public static int TextHead(Span<byte> head, int length)
    {
        if (length > 31)
        {
            return Head(head, length, 0xD9, 0xDA, 0xDB);
        }

        head[0] = (byte)(0xA0 | length);
        return 1;
    }

    /// <summary>Writes the head of a list or map of more than <see cref="ShortCountMax"/> elements: 3 or 5 bytes.</summary>
    /// <param name="head">Where to.</param>
    /// <param name="empty"><see cref="EmptyList"/> or <see cref="EmptyMap"/>.</param>
    /// <param name="count">Of elements, or of pairs.</param>
    public static int CountHead(Span<byte> head, byte empty, int count)
    {
        var wide = empty == EmptyMap ? 0xDE : 0xDC;
        if (count <= ushort.MaxValue)
        {
            head[0] = (byte)wide;
            BinaryPrimitives.WriteUInt16BigEndian(head[1..], (ushort)count);
            return 3;
        }

        head[0] = (byte)(wide + 1);
        BinaryPrimitives.WriteInt32BigEndian(head[1..], count);
        return 5;
    }

    private static int Head(Span<byte> head, int length, byte one, byte two, byte four)
    {
        switch (length)
        {
            case <= byte.MaxValue:
                (head[0], head[1]) = (one, (byte)length);
                return 2;
            case <= ushort.MaxValue:
                head[0] = two;
                BinaryPrimitives.WriteUInt16BigEndian(head[1..], (ushort)length);
                return 3;
            default:
                head[0] = four;
                BinaryPrimitives.WriteInt32BigEndian(head[1..], length);
                return 5;
        }
    }

    /// <param name="writer">Where to.</param>
    /// <param name="bytes">One byte of room, then the value in eight bytes.</param>
    /// <param name="kind">The first byte of the value.</param>
    /// <param name="size">How many of the eight bytes follow it.</param>
    private static void WriteSized(PageWriter writer, Span<byte> bytes, byte kind, int size)
    {
        var value = bytes[(8 - size)..];
        value[0] = kind;
        writer.Write(value);
    }
}
