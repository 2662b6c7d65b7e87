using System.Text.Json;

namespace PushQueue.Transports;

/// <summary>Names of queues, or patterns, in JSON: one string, or a list of strings.</summary>
internal static class NameListJson
{
    // More than any list may have; the rest is not read.
    private const int CountMax = 1000;

    /// <param name="json">One valid JSON value; empty for none.</param>
    /// <param name="field">The name of the field, for the sentence.</param>
    /// <param name="names">Gets the texts.</param>
    public static Problem? Read(ReadOnlySpan<byte> json, string field, List<string?> names)
    {
        if (json.IsEmpty)
        {
            return null;
        }

        var reader = new Utf8JsonReader(json, JsonBody.ReaderOptions);
        reader.Read();
        if (reader.TokenType == JsonTokenType.Null)
        {
            return null;
        }

        if (reader.TokenType != JsonTokenType.StartArray)
        {
            return ReadOne(ref reader, field, names);
        }

        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (ReadOne(ref reader, field, names) is { } problem)
            {
                return problem;
            }
        }

        return null;
    }

    private static Problem? ReadOne(ref Utf8JsonReader reader, string field, List<string?> names)
    {
        if (reader.TokenType != JsonTokenType.String)
        {
            return Problem.BadOption($"{field} is a string or a list of strings.");
        }

        if (names.Count == CountMax)
        {
            return Problem.BadOption($"{field} has more than {CountMax} elements.");
        }

        var problem = JsonText.Read(ref reader, field, out var name);
        names.Add(name);
        return problem;
    }
}
