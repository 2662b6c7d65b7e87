using System.Text.Json;
using System.Text.Unicode;
using PushQueue.Queues;

namespace PushQueue.Delivery.Encoding;

/// <summary>How a body can be shown.</summary>
internal enum BodyKind : byte
{
    /// <summary>Valid JSON without line ends.</summary>
    Json,

    /// <summary>Valid JSON that holds line ends between its tokens.</summary>
    JsonLines,

    /// <summary>Valid UTF-8.</summary>
    Text,

    /// <summary>Anything else; shown as base64.</summary>
    Binary,
}

internal static class BodyKinds
{
    // Deeper than any real document; the limit keeps a hostile one from costing a large stack of bits.
    private const int DepthMax = 512;

    public static BodyKind Of(Message message)
    {
        var body = message.Body.Span;
        if (IsJsonType(message.ContentType))
        {
            if (IsJson(body))
            {
                return body.IndexOfAny((byte)'\n', (byte)'\r') < 0 ? BodyKind.Json : BodyKind.JsonLines;
            }

            // Kept although it is not what it claims; a reader of the envelope sees a string and the content type.
            return Utf8.IsValid(body) ? BodyKind.Text : BodyKind.Binary;
        }

        return IsTextType(message.ContentType) && Utf8.IsValid(body) ? BodyKind.Text : BodyKind.Binary;
    }

    public static bool IsJsonType(string contentType)
    {
        var type = MediaType(contentType);
        return type.Equals("application/json", StringComparison.OrdinalIgnoreCase)
            || type.EndsWith("+json", StringComparison.OrdinalIgnoreCase)
            || type.Equals("text/json", StringComparison.OrdinalIgnoreCase);
    }

    public static bool IsTextType(string contentType) => MediaType(contentType).StartsWith("text/", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether the envelope's body field alone says what the content type is.</summary>
    public static bool IsSelfEvident(string contentType, BodyKind kind)
    {
        var type = MediaType(contentType);
        return kind switch
        {
            BodyKind.Json or BodyKind.JsonLines => type.Equals("application/json", StringComparison.OrdinalIgnoreCase),
            BodyKind.Text => type.Equals("text/plain", StringComparison.OrdinalIgnoreCase),
            _ => type.IsEmpty || type.Equals("application/octet-stream", StringComparison.OrdinalIgnoreCase),
        };
    }

    public static bool IsJson(ReadOnlySpan<byte> body)
    {
        // The reader lets invalid UTF-8 inside strings pass; a stream of text must not.
        if (!Utf8.IsValid(body))
        {
            return false;
        }

        var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = DepthMax });
        try
        {
            while (reader.Read())
            {
            }

            return true;
        }
        catch (JsonException)
        {
            // The reader has no way to say "no" other than by throwing.
            return false;
        }
    }

    private static ReadOnlySpan<char> MediaType(string contentType)
    {
        var end = contentType.IndexOf(';', StringComparison.Ordinal);
        return (end < 0 ? contentType : contentType.AsSpan(0, end)).Trim();
    }
}
