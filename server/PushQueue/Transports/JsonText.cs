using System.Buffers;
using System.Text;
using System.Text.Json;

namespace PushQueue.Transports;

/// <summary>Options in JSON may be strings, numbers or flags; they are read as the same text that a query string holds.</summary>
internal static class JsonText
{
    /// <summary>False for null, objects and lists, and for strings that are no valid Unicode.</summary>
    public static bool TryRead(ref Utf8JsonReader reader, out string text)
    {
        text = "";
        switch (reader.TokenType)
        {
            case JsonTokenType.String:
                return TryReadString(ref reader, out text);
            case JsonTokenType.Number:
                text = Encoding.ASCII.GetString(reader.HasValueSequence ? reader.ValueSequence.ToArray() : reader.ValueSpan);
                return true;
            case JsonTokenType.True:
                text = "true";
                return true;
            case JsonTokenType.False:
                text = "false";
                return true;
            default:
                return false;
        }
    }

    /// <summary>The name of a property; false where it is no valid Unicode.</summary>
    public static bool TryReadName(ref Utf8JsonReader reader, out string name) => TryReadString(ref reader, out name);

    private static bool TryReadString(ref Utf8JsonReader reader, out string text)
    {
        try
        {
            text = reader.GetString()!;
            return true;
        }
        catch (InvalidOperationException)
        {
            // Half a surrogate pair as \uD800; the reader has no other way to say so.
            text = "";
            return false;
        }
    }
}
