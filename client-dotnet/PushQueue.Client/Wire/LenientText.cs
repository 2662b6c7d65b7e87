using System.Text;
using System.Text.Json;

namespace PushQueue.Client.Wire;

/// <summary>
/// Text of JSON strings. JSON allows an escaped half of a surrogate pair, which is not Unicode text and makes the framework's reader throw;
/// here it becomes U+FFFD, as in every decoder of UTF-8.
/// </summary>
internal static class LenientText
{
    private const int EscapeLength = 6;

    private static ReadOnlySpan<byte> Replacement => "\\ufffd"u8;

    /// <summary>The text of the string or the property name at which the reader stands; null for any other value.</summary>
    public static string? Read(ref Utf8JsonReader reader)
    {
        if (reader.TokenType is not (JsonTokenType.String or JsonTokenType.PropertyName))
        {
            return null;
        }

        try
        {
            return reader.GetString();
        }
        catch (InvalidOperationException)
        {
            return Encoding.UTF8.GetString(Repaired(reader.ValueSpan));
        }
    }

    /// <summary>The text of a JSON string, quotes included in <paramref name="json"/>, as UTF-8.</summary>
    public static byte[] Unescape(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        reader.Read();
        if (!reader.ValueIsEscaped)
        {
            return json[1..^1].ToArray();
        }

        try
        {
            return Copy(ref reader, json.Length);
        }
        catch (InvalidOperationException)
        {
            return Repaired(json[1..^1]);
        }
    }

    private static byte[] Copy(ref Utf8JsonReader reader, int lengthMax)
    {
        var text = new byte[lengthMax];
        return text.AsSpan(0, reader.CopyString(text)).ToArray();
    }

    /// <param name="escaped">The string without its quotes.</param>
    private static byte[] Repaired(ReadOnlySpan<byte> escaped)
    {
        var json = new byte[escaped.Length + 2];
        escaped.CopyTo(json.AsSpan(1));
        json[0] = json[^1] = (byte)'"';
        for (var i = 1; i < json.Length - 1; i++)
        {
            if (json[i] == '\\')
            {
                i += Repair(json, i);
            }
        }

        var reader = new Utf8JsonReader(json);
        reader.Read();
        return Copy(ref reader, json.Length);
    }

    /// <summary>Replaces the escape at that place where it is half a pair.</summary>
    /// <returns>How many more bytes belong to the escape, or to the pair of escapes.</returns>
    private static int Repair(byte[] json, int at)
    {
        var unit = UnitAt(json, at);
        if (unit < 0)
        {
            return 1;
        }

        if (char.IsHighSurrogate((char)unit) && UnitAt(json, at + EscapeLength) is var next and >= 0 && char.IsLowSurrogate((char)next))
        {
            return (2 * EscapeLength) - 1;
        }

        if (char.IsSurrogate((char)unit))
        {
            Replacement.CopyTo(json.AsSpan(at));
        }

        return EscapeLength - 1;
    }

    /// <summary>The UTF-16 unit of the escape at that place; -1 where there is no such escape.</summary>
    private static int UnitAt(byte[] json, int at)
    {
        if (at + EscapeLength > json.Length || json[at] != '\\' || json[at + 1] != 'u')
        {
            return -1;
        }

        var unit = 0;
        foreach (var digit in json.AsSpan(at + 2, 4))
        {
            unit = (unit * 16) + Convert.ToInt32(((char)digit).ToString(), 16);
        }

        return unit;
    }
}
