using System.Buffers;
using System.Text;

namespace PushQueue.Transports;

/// <summary>Percent-encoding as URLs and our headers use it; strict, because a lenient reading would make two names of one.</summary>
internal static class PercentCoding
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private static readonly SearchValues<char> NeedsDecoding = SearchValues.Create("%+");

    // '%' itself is encoded as well, so that a reader can always decode.
    private static readonly SearchValues<char> HeaderSafe = SearchValues.Create(
        " !\"#$&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~");

    /// <summary>Decodes strictly: false for a lone '%' and for bytes that are not UTF-8.</summary>
    public static bool TryDecode(ReadOnlySpan<char> text, bool plusIsSpace, out string decoded)
    {
        var special = plusIsSpace ? text.IndexOfAny(NeedsDecoding) : text.IndexOf('%');
        if (special < 0)
        {
            decoded = text.ToString();
            return true;
        }

        decoded = "";
        var rented = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(text.Length));
        try
        {
            if (!TryDecodeBytes(text, plusIsSpace, rented, out var length))
            {
                return false;
            }

            decoded = StrictUtf8.GetString(rented, 0, length);
            return true;
        }
        catch (ArgumentException)
        {
            // Half a surrogate pair, and bytes that are not UTF-8, are found only by the exception of the encoding.
            return false;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    /// <summary>A header value of printable ASCII: everything else, and '%', is percent-encoded.</summary>
    public static string EncodeHeader(string value)
    {
        if (value.AsSpan().IndexOfAnyExcept(HeaderSafe) < 0 && value.AsSpan().Trim(' ').Length == value.Length)
        {
            return value;
        }

        var builder = new StringBuilder(value.Length * 3);
        Span<byte> utf8 = stackalloc byte[4];
        var position = 0;
        foreach (var rune in value.EnumerateRunes())
        {
            var edge = position == 0 || position + rune.Utf16SequenceLength == value.Length;
            position += rune.Utf16SequenceLength;
            if (rune.IsAscii && HeaderSafe.Contains((char)rune.Value) && !(edge && rune.Value == ' '))
            {
                builder.Append((char)rune.Value);
                continue;
            }

            foreach (var b in utf8[..rune.EncodeToUtf8(utf8)])
            {
                builder.Append('%').Append(b.ToString("X2", System.Globalization.CultureInfo.InvariantCulture));
            }
        }

        return builder.ToString();
    }

    private static bool TryDecodeBytes(ReadOnlySpan<char> text, bool plusIsSpace, Span<byte> bytes, out int length)
    {
        length = 0;
        while (!text.IsEmpty)
        {
            if (text[0] == '%')
            {
                if (text.Length < 3 || !char.IsAsciiHexDigit(text[1]) || !char.IsAsciiHexDigit(text[2]))
                {
                    return false;
                }

                bytes[length++] = (byte)((HexValue(text[1]) << 4) | HexValue(text[2]));
                text = text[3..];
            }
            else if (text[0] == '+' && plusIsSpace)
            {
                bytes[length++] = (byte)' ';
                text = text[1..];
            }
            else
            {
                var plain = text.IndexOfAny(NeedsDecoding);
                plain = plain < 0 ? text.Length : Math.Max(plain, 1);
                length += StrictUtf8.GetBytes(text[..plain], bytes[length..]);
                text = text[plain..];
            }
        }

        return true;
    }

    private static int HexValue(char c) => c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}
