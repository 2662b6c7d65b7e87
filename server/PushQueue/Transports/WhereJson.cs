using System.Text.Json;
using PushQueue.Queues;

namespace PushQueue.Transports;

/// <summary>
/// A filter in JSON: <c>"tenant=7|8"</c>, a list of such conditions, or an object, <c>{"tenant":"7|8","region":true}</c>, where true stands
/// for presence.
/// </summary>
internal static class WhereJson
{
    /// <summary>Reads a filter.</summary>
    /// <param name="json">The value of the field <c>where</c>; validated JSON.</param>
    /// <param name="filter">Null where there is no condition.</param>
    public static Problem? Read(ReadOnlySpan<byte> json, out MessageFilter? filter)
    {
        filter = null;
        if (ReadConditions(json, out var conditions) is { } problem)
        {
            return problem;
        }

        return MessageFilter.TryParse(conditions, out filter, out var whyNot) ? null : Problem.BadOption(whyNot);
    }

    /// <summary>Reads the conditions as texts, as a query string would give them.</summary>
    public static Problem? ReadConditions(ReadOnlySpan<byte> json, out List<string> conditions)
    {
        conditions = [];
        var reader = new Utf8JsonReader(json, JsonBody.ReaderOptions);
        reader.Read();
        switch (reader.TokenType)
        {
            case JsonTokenType.Null:
                return null;
            case JsonTokenType.StartObject:
                return ReadObject(ref reader, conditions);
            case JsonTokenType.StartArray:
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                {
                    if (ReadText(ref reader, conditions) is { } wrong)
                    {
                        return wrong;
                    }
                }

                return null;
            default:
                return ReadText(ref reader, conditions);
        }
    }

    /// <summary>Writes a filter as an object.</summary>
    public static void Write(Utf8JsonWriter writer, MessageFilter filter)
    {
        writer.WriteStartObject("where"u8);
        foreach (var condition in filter.Conditions)
        {
            var equals = condition.IndexOf('=', StringComparison.Ordinal);
            if (equals < 0)
            {
                writer.WriteBoolean(condition, value: true);
            }
            else
            {
                writer.WriteString(condition.AsSpan(0, equals), condition.AsSpan(equals + 1));
            }
        }

        writer.WriteEndObject();
    }

    private static Problem? ReadText(ref Utf8JsonReader reader, List<string> conditions)
    {
        if (reader.TokenType != JsonTokenType.String)
        {
            return NoFilter;
        }

        var problem = JsonText.Read(ref reader, "where", out var text);
        conditions.Add(text ?? "");
        return problem;
    }

    private static Problem? ReadObject(ref Utf8JsonReader reader, List<string> conditions)
    {
        var fields = default(JsonFields);
        while (fields.Next(ref reader, out var name))
        {
            // Null too: a condition that is dropped would let everything through.
            if (reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray or JsonTokenType.False or JsonTokenType.Null)
            {
                return NoFilter;
            }

            if (reader.TokenType == JsonTokenType.True)
            {
                conditions.Add(name);
                continue;
            }

            if (JsonText.Read(ref reader, name, out var value) is { } problem)
            {
                return problem;
            }

            if (name.Contains('=', StringComparison.Ordinal))
            {
                return NoFilter;
            }

            conditions.Add($"{name}={value}");
        }

        return fields.Problem;
    }

    private static Problem NoFilter => Problem.BadOption(
        "The field 'where' must be a condition like \"tenant=7\", a list of conditions, or an object like "
        + """{"tenant":"7|8","region":true}.""");
}
