using System.Buffers;
using System.Buffers.Binary;

namespace PushQueue.Transports.Packing;

/// <summary>
/// Checks that bytes are one MessagePack value with all that it declares. MessagePackReader.Skip of MessagePack 2.5 goes into nested
/// lists without a limit, so that a frame of 1 MB could end the process; nothing is read with it before this check.
/// </summary>
internal static class PackedShape
{
    /// <summary>
    /// Deeper than an argument may be, so that a call with too deep an argument is refused by itself; what is deeper than this ends the
    /// connection.
    /// </summary>
    private const int DepthMax = 1024;

    /// <summary>Null if the value is whole, else what is wrong with it.</summary>
    public static string? WhyNot(in ReadOnlySequence<byte> packed)
    {
        var reader = new SequenceReader<byte>(packed);

        // How many values each open list or map still needs.
        Span<long> needed = stackalloc long[DepthMax];
        needed[0] = 1;
        for (var depth = 0; depth >= 0;)
        {
            if (needed[depth] == 0)
            {
                depth--;
                continue;
            }

            needed[depth]--;
            if (!reader.TryRead(out var kind) || Skip(ref reader, kind) is not { } values || values > reader.Remaining)
            {
                return "its MessagePack is cut off, or declares more than was sent";
            }

            if (values > 0)
            {
                if (++depth == DepthMax)
                {
                    return $"its MessagePack is nested more than {DepthMax - 1} levels deep";
                }

                needed[depth] = values;
            }
        }

        return null;
    }

    /// <summary>
    /// Moves behind a value, or behind the head of a list or map. Returns how many values follow as its own; null at the end.
    /// </summary>
    private static long? Skip(ref SequenceReader<byte> reader, byte kind) => kind switch
    {
        <= 0x7F or >= 0xE0 or 0xC0 or 0xC2 or 0xC3 => 0,
        <= 0x8F => 2 * (kind & 0x0F),
        <= 0x9F => kind & 0x0F,
        <= 0xBF => Advance(ref reader, kind & 0x1F),
        0xCC or 0xD0 => Advance(ref reader, 1),
        0xCD or 0xD1 => Advance(ref reader, 2),
        0xCA or 0xCE or 0xD2 => Advance(ref reader, 4),
        0xCB or 0xCF or 0xD3 => Advance(ref reader, 8),
        0xC4 or 0xD9 => Length(ref reader, 1) is { } length ? Advance(ref reader, length) : null,
        0xC5 or 0xDA => Length(ref reader, 2) is { } length ? Advance(ref reader, length) : null,
        0xC6 or 0xDB => Length(ref reader, 4) is { } length ? Advance(ref reader, length) : null,

        // Extensions have a byte for their type.
        0xC7 => Length(ref reader, 1) is { } length ? Advance(ref reader, length + 1) : null,
        0xC8 => Length(ref reader, 2) is { } length ? Advance(ref reader, length + 1) : null,
        0xC9 => Length(ref reader, 4) is { } length ? Advance(ref reader, length + 1) : null,
        >= 0xD4 and <= 0xD8 => Advance(ref reader, 1 + (1L << (kind - 0xD4))),
        0xDC => Length(ref reader, 2),
        0xDD => Length(ref reader, 4),
        0xDE => 2 * Length(ref reader, 2),
        0xDF => 2 * Length(ref reader, 4),

        // 0xC1 stands for nothing.
        _ => null,
    };

    private static long? Advance(ref SequenceReader<byte> reader, long bytes)
    {
        if (reader.Remaining < bytes)
        {
            return null;
        }

        reader.Advance(bytes);
        return 0;
    }

    private static long? Length(ref SequenceReader<byte> reader, int bytes)
    {
        Span<byte> number = stackalloc byte[4];
        number.Clear();
        if (!reader.TryCopyTo(number[(4 - bytes)..]))
        {
            return null;
        }

        reader.Advance(bytes);
        return BinaryPrimitives.ReadUInt32BigEndian(number);
    }
}
