using System.Text.Json;

namespace PushQueue.Transports;

/// <summary>Checks that bytes are one JSON value, without building anything.</summary>
internal static class JsonBody
{
    // Deeper than any real document; the limit keeps a hostile one from costing much.
    private const int DepthMax = 512;

    public static readonly JsonReaderOptions ReaderOptions = new() { MaxDepth = DepthMax };

    /// <summary>Null where the bytes are exactly one JSON value, else what is wrong with them.</summary>
    public static string? WhyNot(ReadOnlySpan<byte> json)
    {
        try
        {
            var reader = new Utf8JsonReader(json, ReaderOptions);
            while (reader.Read())
            {
                // The reader checks the grammar; that the bytes of strings are UTF-8 it leaves to whoever reads them.
            }
        }
        catch (JsonException e)
        {
            // The reader has no other way to say no.
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
