using System.Text;
using System.Text.RegularExpressions;
using PushQueue.Transports;

namespace PushQueue.Dialects.RestMq;

/// <summary>The name of the function that a page wants its JSON wrapped in a call of (JSONP); none where it is null.</summary>
internal readonly partial record struct RestMqCallback(string? Name)
{
    /// <summary>Only a plain dotted identifier: whatever else stood there would run as script in the page that asked.</summary>
    public static Problem? Read(RestMqArguments arguments, out RestMqCallback callback)
    {
        callback = new RestMqCallback(arguments["callback"]);
        return callback.Name is null || Identifier().IsMatch(callback.Name)
            ? null
            : Problem.BadOption(
                "The argument 'callback' must be the name of a function, such as show or page.show, of at most 128 characters.");
    }

    public byte[] Wrap(ReadOnlySpan<byte> json)
    {
        // Two characters end a line in script but not in JSON.
        var script = Encoding.UTF8.GetString(json)
            .Replace("\u2028", "\\u2028", StringComparison.Ordinal)
            .Replace("\u2029", "\\u2029", StringComparison.Ordinal);
        return Encoding.UTF8.GetBytes($"{Name}({script});");
    }

    [GeneratedRegex(
        @"\A(?=.{1,128}\z)[A-Za-z_$][A-Za-z0-9_$]*(\.[A-Za-z_$][A-Za-z0-9_$]*)*\z", RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000)]
    private static partial Regex Identifier();
}
