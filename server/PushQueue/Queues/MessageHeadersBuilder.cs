using System.Buffers;
using System.Text;

namespace PushQueue.Queues;

/// <summary>Collects and checks the headers of a message as a client gave them.</summary>
internal sealed class MessageHeadersBuilder
{
    private static readonly SearchValues<char> NameChars = SearchValues.Create("0123456789abcdefghijklmnopqrstuvwxyz._-");

    private readonly SortedList<string, string> _headers = new(StringComparer.Ordinal);
    private int _bytes;

    /// <summary>Adds a header.</summary>
    /// <param name="name">Its name, in upper or lower case.</param>
    /// <param name="value">Its value, which may be empty.</param>
    /// <returns>A sentence about the rule that the header breaks; null where it was added.</returns>
    public string? Add(string name, string value)
    {
        var lower = name.ToLowerInvariant();
        if (WhyNotName(name, lower) is { } badName)
        {
            return badName;
        }

        var valueBytes = QueueName.Utf8Length(value);
        if (valueBytes < 0)
        {
            return $"The value of the header '{lower}' is not valid Unicode.";
        }

        if (value.AsSpan().IndexOfAnyInRange('\0', '\x1f') >= 0 || value.AsSpan().IndexOfAnyInRange('\x7f', '\x9f') >= 0)
        {
            return $"The value of the header '{lower}' must not contain control characters or line ends.";
        }

        if (_headers.ContainsKey(lower))
        {
            return $"The header '{lower}' is given twice; give it once. Upper and lower case are the same.";
        }

        if (_headers.Count == MessageHeaders.CountMax)
        {
            return $"A message may have at most {MessageHeaders.CountMax} headers.";
        }

        _bytes += lower.Length + valueBytes;
        if (_bytes > MessageHeaders.BytesMax)
        {
            return $"The headers of a message may have at most {MessageHeaders.BytesMax} bytes of names and values together.";
        }

        _headers.Add(lower, value);
        return null;
    }

    /// <summary>The headers; null where none was added.</summary>
    public MessageHeaders? Build() => _headers.Count == 0 ? null : MessageHeaders.Pack(_headers);

    /// <summary>Why a text is not the name of a header; null where it is one.</summary>
    public static string? WhyNotName(string name) => WhyNotName(name, name.ToLowerInvariant());

    private static string? WhyNotName(string name, string lower)
    {
        if (lower.Length is < 1 or > MessageHeaders.NameBytesMax)
        {
            return $"The name of a header has 1 to {MessageHeaders.NameBytesMax} characters; this one has {lower.Length}.";
        }

        // The lower case of some letters of other scripts is an ASCII letter.
        return !Ascii.IsValid(name) || lower.AsSpan().ContainsAnyExcept(NameChars)
            ? $"The name of a header consists of the letters a to z, digits, '.', '_' and '-'; '{Printable(name)}' contains other "
                + "characters."
            : null;
    }

    private static string Printable(string name) =>
        string.Concat(name.Select(static c => char.IsControl(c) || char.IsSurrogate(c) ? '?' : c));
}
