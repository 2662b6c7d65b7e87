using System.Text.Json;
using PushQueue.Transports;

namespace PushQueue.Dialects.Presque;

/// <summary>Single fields of JSON bodies.</summary>
internal static class PresqueJson
{
    /// <summary>
    /// Reads a field as text; null where the JSON, which is valid, is not an object or has no such field, or where the field is not a
    /// text or number. The error where a field is given twice or is not valid Unicode.
    /// </summary>
    public static JsonError? Text(ReadOnlySpan<byte> json, string name, out string? text)
    {
        text = null;
        var reader = new Utf8JsonReader(json, JsonBody.ReaderOptions);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            return null;
        }

        var fields = default(JsonFields);
        var problem = default(Problem);
        while (fields.Next(ref reader, out var field))
        {
            if (field == name && JsonText.TryRead(ref reader, out var value))
            {
                text = value;
            }
            else if (field == name && reader.TokenType == JsonTokenType.String)
            {
                problem = JsonText.NotUnicode(name);
            }

            reader.Skip();
        }

        return (problem ?? fields.Problem) is { } wrong ? JsonError.BadRequest(wrong.Sentence) : null;
    }
}
