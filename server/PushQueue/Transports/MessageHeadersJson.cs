using System.Text.Json;
using PushQueue.Queues;

namespace PushQueue.Transports;

/// <summary>The field <c>headers</c>: one JSON object of names and values.</summary>
internal static class MessageHeadersJson
{
    /// <summary>Reads the headers of a put.</summary>
    /// <param name="json">The value of the field; validated JSON.</param>
    /// <param name="headers">Null if the object is empty.</param>
    public static Problem? Read(ReadOnlySpan<byte> json, out MessageHeaders? headers)
    {
        var reader = new Utf8JsonReader(json, JsonBody.ReaderOptions);
        reader.Read();
        return Read(ref reader, out headers);
    }

    /// <summary>As the other method; the reader stands at the value and is left at its end.</summary>
    public static Problem? Read(ref Utf8JsonReader reader, out MessageHeaders? headers)
    {
        headers = null;
        if (reader.TokenType == JsonTokenType.Null)
        {
            return null;
        }

        if (reader.TokenType != JsonTokenType.StartObject)
        {
            reader.Skip();
            return Problem.BadOption("""The field 'headers' must be an object of names and values, like {"tenant":"7"}.""");
        }

        // The walk ends behind the object even at a problem: the caller may continue after it.
        var builder = new MessageHeadersBuilder();
        Problem? problem = null;
        var fields = default(JsonFields);
        while (fields.Next(ref reader, out var name))
        {
            var wrong = Add(builder, ref reader, name);
            problem ??= wrong;
        }

        headers = builder.Build();
        return fields.Problem ?? problem;
    }

    public static void Write(Utf8JsonWriter writer, MessageHeaders? headers)
    {
        if (headers is null)
        {
            return;
        }

        writer.WriteStartObject("headers"u8);
        foreach (var header in headers)
        {
            writer.WriteString(header.Name, header.Value);
        }

        writer.WriteEndObject();
    }

    /// <summary>A header that is null is one that is not given.</summary>
    private static Problem? Add(MessageHeadersBuilder builder, ref Utf8JsonReader reader, string name)
    {
        if (reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray)
        {
            reader.Skip();
            return Problem.BadOption($"The value of the header '{OptionValues.Shown(name)}' must be a string or a number.");
        }

        if (JsonText.Read(ref reader, name, out var value) is { } problem)
        {
            return problem;
        }

        return value is not null && builder.Add(name, value) is { } whyNot ? Problem.BadOption(whyNot) : null;
    }
}
