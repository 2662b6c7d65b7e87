using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace PushQueue.Tests.Support;

/// <summary>
/// Compares JSON with the schemas of an OpenAPI document. Stricter than JSON Schema: a field that the schema of an object does not name is
/// a finding.
/// </summary>
internal sealed class ApiSchemaCheck(JsonElement document)
{
    private static readonly TimeSpan MatchMax = TimeSpan.FromSeconds(10);

    /// <summary>The errors of the value, each with its place.</summary>
    public IEnumerable<string> Find(JsonElement schema, JsonElement value, string place)
    {
        if (schema.TryGetProperty("$ref", out var reference))
        {
            return Find(Resolve(reference.GetString()!), value, place);
        }

        if (schema.TryGetProperty("anyOf", out var any) || schema.TryGetProperty("oneOf", out any))
        {
            return any.EnumerateArray().Any(one => !Find(one, value, place).Any())
                ? []
                : [$"{place} fits none of its schemas: {value.GetRawText()}"];
        }

        return WhyNotType(schema, value) is { } wrong
            ? [$"{place} {wrong}: {value.GetRawText()}"]
            : value.ValueKind switch
            {
                JsonValueKind.Object => FindInObject(schema, value, place),
                JsonValueKind.Array => value.EnumerateArray().SelectMany((item, i) => schema.TryGetProperty("items", out var items)
                    ? Find(items, item, $"{place}[{i.ToString(CultureInfo.InvariantCulture)}]")
                    : []),
                _ => [],
            };
    }

    private IEnumerable<string> FindInObject(JsonElement schema, JsonElement value, string place)
    {
        if (schema.TryGetProperty("required", out var required))
        {
            foreach (var name in required.EnumerateArray().Select(static name => name.GetString()!)
                .Where(name => !value.TryGetProperty(name, out _)))
            {
                yield return $"{place} lacks '{name}'";
            }
        }

        var properties = schema.TryGetProperty("properties", out var named) ? named : default;
        foreach (var field in value.EnumerateObject())
        {
            if (properties.ValueKind == JsonValueKind.Object && properties.TryGetProperty(field.Name, out var its))
            {
                foreach (var finding in Find(its, field.Value, $"{place}.{field.Name}"))
                {
                    yield return finding;
                }
            }
            else if (schema.TryGetProperty("additionalProperties", out var others) && others.ValueKind == JsonValueKind.Object)
            {
                foreach (var finding in Find(others, field.Value, $"{place}.{field.Name}"))
                {
                    yield return finding;
                }
            }
            else if (properties.ValueKind == JsonValueKind.Object)
            {
                yield return $"{place} has '{field.Name}', which the document does not name";
            }
        }
    }

    private static string? WhyNotType(JsonElement schema, JsonElement value)
    {
        if (schema.TryGetProperty("type", out var type))
        {
            var names = type.ValueKind == JsonValueKind.Array
                ? type.EnumerateArray().Select(static name => name.GetString()!)
                : [type.GetString()!];
            if (!names.Any(name => Is(name, value)))
            {
                return $"is no {type.GetRawText()}";
            }
        }

        if (value.ValueKind != JsonValueKind.String)
        {
            return null;
        }

        var text = value.GetString()!;
        if (schema.TryGetProperty("enum", out var words) && words.EnumerateArray().All(word => word.GetString() != text))
        {
            return "is not one of the words";
        }

        return schema.TryGetProperty("pattern", out var pattern)
            && !Regex.IsMatch(text, pattern.GetString()!, RegexOptions.ExplicitCapture, MatchMax)
            ? $"does not match {pattern.GetString()}"
            : null;
    }

    private static bool Is(string type, JsonElement value) => type switch
    {
        "null" => value.ValueKind == JsonValueKind.Null,
        "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        "integer" => value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out _),
        "number" => value.ValueKind == JsonValueKind.Number,
        "string" => value.ValueKind == JsonValueKind.String,
        "array" => value.ValueKind == JsonValueKind.Array,
        _ => value.ValueKind == JsonValueKind.Object,
    };

    private JsonElement Resolve(string reference) =>
        reference.TrimStart('#').Split('/', StringSplitOptions.RemoveEmptyEntries)
            .Aggregate(document, static (at, name) => at.GetProperty(name));
}
