using System.Text.Json;
using PushQueue.Delivery.Encoding;

namespace PushQueue.Transports;

/// <summary>Checks that bytes are one JSON value, without building anything.</summary>
internal static class JsonBody
{
    public static readonly JsonReaderOptions ReaderOptions = new() { MaxDepth = JsonDepth.Max };

    public static readonly JsonDocumentOptions DocumentOptions = new() { MaxDepth = JsonDepth.Max };

    /// <summary>JSON without the byte order mark that some editors write before it.</summary>
    public static ReadOnlyMemory<byte> SkipMark(ReadOnlyMemory<byte> json) => json.Span.StartsWith("\uFEFF"u8) ? json[3..] : json;

    /// <summary>Null where the bytes are exactly one JSON value, else what is wrong with them.</summary>
    public static string? WhyNot(ReadOnlySpan<byte> json)
    {
        try
        {
            var reader = new Utf8JsonReader(json, ReaderOptions);
            while (reader.Read())
            {
                // The reader checks the grammar; that strings are valid UTF-8 is checked below.
            }
        }
        catch (JsonException e)
        {
            // The reader reports invalid JSON only by this exception.
            return Describe(e);
        }

        return System.Text.Unicode.Utf8.IsValid(json) ? null : "it is not valid UTF-8";
    }

    public static bool IsValid(ReadOnlySpan<byte> json) => WhyNot(json) is null;

    /// <summary>The message without what the reader adds about line and byte, which count within one element only.</summary>
    public static string Describe(JsonException e)
    {
        var end = e.Message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        var message = (end < 0 ? e.Message : e.Message[..end]).TrimEnd('.');
        return $"{message} (at byte {(e.BytePositionInLine ?? 0) + 1})";
    }
}
