using System.Collections.ObjectModel;
using System.Net.Http.Headers;
using System.Text.Json;

namespace PushQueue.Client.Wire;

/// <summary>
/// The headers of a message as fields of HTTP, <c>PushQueue-Header-NAME</c>, and as a JSON object. A value that is not printable ASCII goes
/// as RFC 8187 says: <c>UTF-8''na%C3%AFve</c>.
/// </summary>
internal static class MessageHeaders
{
    private const string Prefix = "PushQueue-Header-";

    private const string ExtendedMark = "UTF-8''";

    public static IReadOnlyDictionary<string, string> None { get; } = ReadOnlyDictionary<string, string>.Empty;

    /// <summary>Adds the fields to a request.</summary>
    /// <exception cref="PushQueueException">A name or a value cannot be a header.</exception>
    public static void AddTo(HttpRequestHeaders fields, IReadOnlyDictionary<string, string>? headers)
    {
        foreach (var (name, value) in headers ?? None)
        {
            if (fields.NonValidated.Contains(Prefix + name))
            {
                throw new PushQueueException(ProblemTypes.BadOption, $"The header '{name}' is given twice; case does not matter.");
            }

            if (!fields.TryAddWithoutValidation(Prefix + name, Encode(value)))
            {
                throw new PushQueueException(ProblemTypes.BadOption, $"'{name}' cannot be the name of a header.");
            }
        }
    }

    /// <summary>Reads the fields of an answer.</summary>
    public static IReadOnlyDictionary<string, string> Of(HttpResponseHeaders fields)
    {
        Dictionary<string, string>? headers = null;
        foreach (var (name, values) in fields)
        {
            if (name.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase))
            {
                (headers ??= new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase))[name[Prefix.Length..].ToLowerInvariant()] =
                    Decode(string.Join(", ", values));
            }
        }

        return headers ?? None;
    }

    public static void Write(Utf8JsonWriter writer, IReadOnlyDictionary<string, string>? headers)
    {
        if (headers is null)
        {
            return;
        }

        writer.WriteStartObject("headers"u8);
        foreach (var (name, value) in headers)
        {
            writer.WriteString(name, value);
        }

        writer.WriteEndObject();
    }

    /// <summary>Reads the object at which the reader stands; what this version does not expect is left out.</summary>
    public static IReadOnlyDictionary<string, string> Read(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            reader.Skip();
            return None;
        }

        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = LenientText.Read(ref reader) ?? "";
            reader.Read();
            if (reader.TokenType == JsonTokenType.String)
            {
                headers[name] = LenientText.Read(ref reader) ?? "";
            }
            else
            {
                reader.Skip();
            }
        }

        return headers;
    }

    private static string Encode(string value)
    {
        var isPlain = value.AsSpan().IndexOfAnyExceptInRange(' ', '~') < 0
            && !value.StartsWith(' ')
            && !value.EndsWith(' ')
            && !value.StartsWith(ExtendedMark, StringComparison.OrdinalIgnoreCase);
        return isPlain ? value : ExtendedMark + Uri.EscapeDataString(value);
    }

    private static string Decode(string value) =>
        value.StartsWith(ExtendedMark, StringComparison.OrdinalIgnoreCase) ? Uri.UnescapeDataString(value[ExtendedMark.Length..]) : value;
}
