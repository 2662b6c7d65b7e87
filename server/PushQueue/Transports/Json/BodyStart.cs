using System.Text;
using System.Text.Unicode;

namespace PushQueue.Transports.Json;

/// <summary>The first bytes of a body for lists and watchers.</summary>
/// <param name="Text">The whole characters where the bytes are UTF-8, else base64.</param>
/// <param name="IsBase64">Whether the text is base64.</param>
internal readonly record struct BodyStart(string Text, bool IsBase64)
{
    // The longest character of UTF-8 has four bytes; a cut leaves at most three of them.
    private const int CutBytesMax = 3;

    /// <param name="start">The first bytes.</param>
    /// <param name="length">The length of the whole body, in bytes.</param>
    public static BodyStart Of(ReadOnlySpan<byte> start, int length) => TextLength(start, isCut: start.Length < length) is { } textLength
        ? new BodyStart(Encoding.UTF8.GetString(start[..textLength]), IsBase64: false)
        : new BodyStart(Convert.ToBase64String(start), IsBase64: true);

    /// <summary>How many of the bytes are whole characters; null where they are not UTF-8.</summary>
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
