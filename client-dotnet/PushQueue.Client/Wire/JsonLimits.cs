using System.Text.Json;

namespace PushQueue.Client.Wire;

/// <summary>How deep the JSON of an answer may be nested.</summary>
internal static class JsonLimits
{
    /// <summary>The server accepts bodies that are nested 512 levels deep; an envelope, a list and a hub frame add a few. Twice as much
    /// leaves room for a later server.</summary>
    public const int DepthMax = 1024;

    public static readonly JsonReaderOptions Reader = new() { MaxDepth = DepthMax };

    /// <summary>Whether bytes are exactly one JSON value in UTF-8.</summary>
    public static bool IsJson(ReadOnlySpan<byte> bytes)
    {
        if (!System.Text.Unicode.Utf8.IsValid(bytes))
        {
            return false;
        }

        try
        {
            var reader = new Utf8JsonReader(bytes, Reader);
            while (reader.Read())
            {
                // Only the grammar matters.
            }

            return true;
        }
        catch (JsonException)
        {
            // The reader reports invalid JSON in no other way.
            return false;
        }
    }
}
