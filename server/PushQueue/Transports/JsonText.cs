using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace PushQueue.Transports;

/// <summary>
/// The one reader of texts, names and values in the JSON of clients. System.Text.Json throws where a string holds half a surrogate pair;
/// the methods here return a problem instead. BannedSymbols.Json.txt keeps the throwing methods out of the other files.
/// </summary>
internal static class JsonText
{
    // A reader's own methods are used here and nowhere else.
#pragma warning disable RS0030

    /// <summary>
    /// Reads a scalar as the text that a query string would hold; null where the value is null, which is the same as an option that is not
    /// given.
    /// </summary>
    /// <param name="reader">A reader that stands at the value.</param>
    /// <param name="name">The name of the field, for the problem.</param>
    /// <param name="text">The text.</param>
    public static Problem? Read(ref Utf8JsonReader reader, string name, out string? text)
    {
        text = null;
        if (reader.TokenType == JsonTokenType.Null)
        {
            return null;
        }

        if (TryRead(ref reader, out var value))
        {
            text = value;
            return null;
        }

        return reader.TokenType == JsonTokenType.String
            ? NotUnicode(name)
            : Problem.BadOption($"The field '{OptionValues.Shown(name)}' must be a string or a number.");
    }

    /// <summary>Reads a scalar as text. False for null, objects and lists, and for strings that are not valid Unicode.</summary>
    public static bool TryRead(ref Utf8JsonReader reader, out string text)
    {
        text = "";
        switch (reader.TokenType)
        {
            case JsonTokenType.String:
                return TryReadString(ref reader, out text);
            case JsonTokenType.Number:
                text = Plain(Encoding.ASCII.GetString(reader.HasValueSequence ? reader.ValueSequence.ToArray() : reader.ValueSpan));
                return true;
            case JsonTokenType.True:
                text = "true";
                return true;
            case JsonTokenType.False:
                text = "false";
                return true;
            default:
                return false;
        }
    }

    /// <summary>Reads a scalar that was parsed already, in the same way.</summary>
    public static bool TryRead(JsonElement element, out string text)
    {
        var reader = new Utf8JsonReader(Raw(element), JsonBody.ReaderOptions);
        reader.Read();
        return TryRead(ref reader, out text);
    }

    /// <summary>The JSON of a value that was parsed already, without a copy.</summary>
    public static ReadOnlySpan<byte> Raw(JsonElement element) => JsonMarshal.GetRawUtf8Value(element);

    /// <summary>The name of a property; false where it is not valid Unicode.</summary>
    public static bool TryReadName(ref Utf8JsonReader reader, out string name) => TryReadString(ref reader, out name);

    /// <summary>The name of a property that was parsed already; false where it is not valid Unicode.</summary>
    public static bool TryReadName(JsonProperty property, out string name)
    {
        try
        {
            name = property.Name;
            return true;
        }
        catch (InvalidOperationException)
        {
            name = "";
            return false;
        }
    }

    /// <summary>The field of an object that was parsed already; false where it has none. Other names need not be valid Unicode, at which
    /// <see cref="JsonElement.TryGetProperty(string, out JsonElement)"/> throws.</summary>
    public static bool TryFind(JsonElement json, string field, out JsonElement value)
    {
        foreach (var property in json.EnumerateObject())
        {
            if (TryReadName(property, out var name) && name == field)
            {
                value = property.Value;
                return true;
            }
        }

        value = default;
        return false;
    }

    /// <summary>The bytes that a string stands for; false where it is not valid Unicode.</summary>
    /// <param name="json">One JSON string, quotes included.</param>
    /// <param name="bytes">The text in UTF-8.</param>
    public static bool TryReadBytes(ReadOnlySpan<byte> json, out byte[] bytes)
    {
        var reader = new Utf8JsonReader(json, JsonBody.ReaderOptions);
        reader.Read();
        if (!reader.ValueIsEscaped)
        {
            bytes = reader.ValueSpan.ToArray();
            return true;
        }

        try
        {
            var text = new byte[json.Length];
            var length = reader.CopyString(text);
            bytes = text.AsSpan(0, length).ToArray();
            return true;
        }
        catch (InvalidOperationException)
        {
            bytes = [];
            return false;
        }
    }

    /// <summary>Copies the text of the string or name at which the reader stands, in UTF-8; false where it is not valid Unicode.</summary>
    /// <param name="reader">The reader.</param>
    /// <param name="destination">As long as the value with its escapes, or longer.</param>
    /// <param name="length">The bytes of the text.</param>
    public static bool TryCopy(ref Utf8JsonReader reader, Span<byte> destination, out int length)
    {
        try
        {
            length = reader.CopyString(destination);
            return true;
        }
        catch (InvalidOperationException)
        {
            length = 0;
            return false;
        }
    }

    public static Problem NotUnicode(string name) =>
        Problem.BadJson(
            $"The field '{OptionValues.Shown(name)}' is not valid Unicode: it has half a surrogate pair, such as \\ud83d alone.");

    private static bool TryReadString(ref Utf8JsonReader reader, out string text)
    {
        try
        {
            text = reader.GetString()!;
            return true;
        }
        catch (InvalidOperationException)
        {
            // Half a surrogate pair as \uD800; the reader reports it only by this exception.
            text = "";
            return false;
        }
    }
#pragma warning restore RS0030

    /// <summary>A number in the notation of query strings: 9 for 9.0, 10 for 1e1. JSON does not distinguish them.</summary>
    private static string Plain(string number)
    {
        const NumberStyles Style = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        return number.AsSpan().ContainsAny('.', 'e', 'E') && decimal.TryParse(number, Style, CultureInfo.InvariantCulture, out var value)
            ? value.ToString("0.############################", CultureInfo.InvariantCulture)
            : number;
    }
}
