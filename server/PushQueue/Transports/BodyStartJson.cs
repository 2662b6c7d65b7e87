using System.Text.Json;
using System.Text.Unicode;

namespace PushQueue.Transports;

/// <summary>The first bytes of a body, for lists and onlookers: as text where it is UTF-8, else as base64, with the length of the whole.</summary>
internal static class BodyStartJson
{
    // The longest character of UTF-8 has four bytes; a cut leaves at most three of them.
    private const int CutBytesMax = 3;

    /// <param name="writer">Within an object.</param>
    /// <param name="start">The first bytes.</param>
    /// <param name="length">The length of the whole body, in bytes.</param>
    public static void Write(Utf8JsonWriter writer, ReadOnlySpan<byte> start, int length)
    {
        if (TextLength(start, isCut: start.Length < length) is { } textLength)
        {
            writer.WriteString("start"u8, start[..textLength]);
        }
        else
        {
            writer.WriteBase64String("start"u8, start);
            writer.WriteString("encoding"u8, "base64"u8);
        }

        writer.WriteNumber("bytes"u8, length);
    }

    /// <summary>How many of the bytes are whole characters; null where they are no text.</summary>
    private static int? TextLength(ReadOnlySpan<byte> bytes, bool isCut)
    {
        for (var cut = 0; cut <= (isCut ? Math.Min(CutBytesMax, bytes.Length) : 0); cut++)
        {
            if (Utf8.IsValid(bytes[..^cut]))
            {
                return bytes.Length - cut;
            }
        }

        return null;
    }
}
