using System.Text.Json;

namespace PushQueue.Transports;

/// <summary>Where the body of a message stands in a JSON object, and how it becomes the bytes of the message.</summary>
internal readonly struct BodyField
{
    private readonly int _start;
    private readonly int _length;
    private readonly bool _isString;

    private BodyField(int start, int length, bool isString)
    {
        _start = start;
        _length = length;
        _isString = isString;
    }

    public bool Given => _length > 0;

    /// <summary>The value at which the reader stands; the reader moves to its end.</summary>
    /// <param name="reader">A reader of the JSON that <see cref="Read"/> will be given.</param>
    public static BodyField At(ref Utf8JsonReader reader)
    {
        var start = (int)reader.TokenStartIndex;
        var isString = reader.TokenType == JsonTokenType.String;
        reader.Skip();
        return new BodyField(start, (int)reader.BytesConsumed - start, isString);
    }

    /// <summary>The bytes that a string of base64 stands for. The problem if the value is not base64.</summary>
    /// <param name="json">The JSON that contains the value.</param>
    /// <param name="encoding">The encoding that was given; there is one.</param>
    /// <param name="body">The bytes.</param>
    public Problem? ReadEncoded(ReadOnlySpan<byte> json, string encoding, out byte[] body)
    {
        body = [];
        var reader = new Utf8JsonReader(json.Slice(_start, _length));
        reader.Read();
        return encoding == "base64" && _isString && reader.TryGetBytesFromBase64(out body!)
            ? null
            : Problem.BadOption("'encoding' must be base64, and the body a string of base64.");
    }

    /// <summary>
    /// The value as it is, as JSON; a string that is given another content type is that text itself. The problem where that text is not
    /// valid.
    /// </summary>
    /// <param name="json">The JSON that contains the value.</param>
    /// <param name="contentType">The content type that was given; null for JSON.</param>
    /// <param name="body">The bytes of the message.</param>
    public Problem? Read(ReadOnlySpan<byte> json, ref string? contentType, out byte[] body)
    {
        var value = json.Slice(_start, _length);
        if (contentType is null || ContentTypes.IsJson(contentType) || !_isString)
        {
            contentType ??= ContentTypes.Json;
            body = value.ToArray();
            return null;
        }

        return JsonText.TryReadBytes(value, out body) ? null : JsonText.NotUnicode("body");
    }
}
