using System.Text.Json;
using PushQueue.Transports;

namespace PushQueue.Dialects.Presque;

/// <summary>Single fields of JSON bodies.</summary>
internal static class PresqueJson
{
    /// <summary>A field as text; null where the JSON, which is valid, is no object, or has no such field, or it is no text or number.</summary>
    public static string? Text(ReadOnlySpan<byte> json, ReadOnlySpan<byte> name)
    {
        var reader = new Utf8JsonReader(json, JsonBody.ReaderOptions);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            return null;
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isIt = reader.ValueTextEquals(name);
            reader.Read();
            if (isIt)
            {
                return JsonText.TryRead(ref reader, out var text) ? text : null;
            }

            reader.Skip();
        }

        return null;
    }
}
