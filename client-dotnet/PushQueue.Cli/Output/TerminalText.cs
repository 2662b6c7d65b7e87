using System.Globalization;
using System.Text;
using System.Text.Unicode;
using PushQueue.Client;

namespace PushQueue.Cli.Output;

/// <summary>Bodies and names as a terminal may show them: bytes and control characters of a message must not command it.</summary>
internal static class TerminalText
{
    /// <summary>The body with its line ends; bytes that are no text as base64.</summary>
    public static string Of(Message message) => Utf8.IsValid(message.Body.Span)
        ? Replaced(message.Text, static character => character is '\n' or '\r' or '\t' ? null : "\uFFFD")
        : $"({Described(message)}; base64: {Convert.ToBase64String(message.Body.Span)})";

    /// <summary>The body in one line; bytes that are no text only described.</summary>
    public static string OneLineOf(Message message) => Utf8.IsValid(message.Body.Span) ? OneLine(message.Text) : $"({Described(message)})";

    public static string OneLine(string text) => Replaced(text, static character => character switch
    {
        '\n' => "\\n",
        '\r' => "\\r",
        '\t' => "\\t",
        _ => string.Create(CultureInfo.InvariantCulture, $"\\u{(int)character:x4}"),
    });

    private static string Described(Message message) =>
        string.Create(CultureInfo.InvariantCulture, $"{message.Body.Length} bytes of {message.ContentType}");

    /// <param name="text">The text.</param>
    /// <param name="replacement">Of a control character; null to leave it.</param>
    private static string Replaced(string text, Func<char, string?> replacement)
    {
        if (!text.Any(char.IsControl))
        {
            return text;
        }

        var shown = new StringBuilder(text.Length);
        foreach (var character in text)
        {
            shown.Append(char.IsControl(character) && replacement(character) is { } other ? other : character);
        }

        return shown.ToString();
    }
}
