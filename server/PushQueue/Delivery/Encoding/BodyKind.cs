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
    public static BodyKind Of(Message message)
    {
        var body = message.Body.Span;
        if (IsJsonType(message.ContentType))
        {
            // A body that is not the JSON that its content type claims is shown as base64: a string would be read as JSON.
            return !IsJson(body) ? BodyKind.Binary : body.IndexOfAny((byte)'\n', (byte)'\r') < 0 ? BodyKind.Json : BodyKind.JsonLines;
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

    /// <summary>
    /// Whether the body field of the envelope alone determines the content type. Text never does, because a JSON string has the same field.
    /// A content type with parameters is not left out either, so that it survives when the envelope is put again.
    /// </summary>
    public static bool IsSelfEvident(string contentType, BodyKind kind) => kind switch
    {
        BodyKind.Json or BodyKind.JsonLines => contentType == "application/json",
        BodyKind.Text => false,
        _ => contentType is "" or "application/octet-stream",
    };

    /// <summary>A JSON body without the byte order mark that some editors write before it.</summary>
    public static ReadOnlySpan<byte> SkipMark(ReadOnlySpan<byte> json) => json.StartsWith("\uFEFF"u8) ? json[3..] : json;

    public static bool IsJson(ReadOnlySpan<byte> body)
    {
        // The reader lets invalid UTF-8 inside strings pass; a stream of text must not.
        if (!Utf8.IsValid(body))
        {
            return false;
        }

        var reader = new Utf8JsonReader(SkipMark(body), new JsonReaderOptions { MaxDepth = JsonDepth.Body });
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
