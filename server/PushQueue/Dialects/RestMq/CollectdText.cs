using System.Text;
using System.Text.RegularExpressions;
using PushQueue.Transports.Json;
using PushQueue.Transports;

namespace PushQueue.Dialects.RestMq;

/// <summary>Makes JSON of collectd's two texts. All or nothing: a line that cannot be read refuses the request.</summary>
internal static partial class CollectdText
{
    /// <summary>
    /// Lines of <c>PUTVAL host/plugin/type interval=10 time:value</c>. Numbers stay the texts that collectd wrote: a value may be U for
    /// unknown, or several.
    /// </summary>
    public static Problem? Values(byte[] body, out byte[] json)
    {
        json = [];
        var buffer = JsonBuffer.Rent();
        buffer.Writer.WriteStartArray();
        var number = 0;
        Problem? problem = null;
        foreach (var line in Lines(body))
        {
            number++;
            if (line.Length == 0)
            {
                continue;
            }

            var match = PutValue().Match(line);
            if (!match.Groups["interval"].Success)
            {
                problem ??= Problem.BadJson(
                    $"Line {number} is not PUTVAL host/plugin/type interval=SECONDS time:value; send that, or JSON as application/json.");
                continue;
            }

            buffer.Writer.WriteStartObject();
            foreach (var name in (string[])["host", "plugin_instance", "type_instance", "interval", "value"])
            {
                buffer.Writer.WriteString(name, match.Groups[name].Value);
            }

            buffer.Writer.WriteEndObject();
        }

        buffer.Writer.WriteEndArray();
        json = buffer.Finish();
        return problem ?? (json.Length > 2 ? null : Problem.BadJson("The body has no PUTVAL line."));
    }

    /// <summary>Lines of <c>Name: value</c>, an empty line, and the text of the notification.</summary>
    public static Problem? Notification(byte[] body, out byte[] json)
    {
        var lines = Lines(body);
        var buffer = JsonBuffer.Rent();
        buffer.Writer.WriteStartArray();
        var problem = (Problem?)null;
        var i = 0;
        for (; i < lines.Length && lines[i].Length > 0; i++)
        {
            var colon = lines[i].IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0)
            {
                problem ??= Problem.BadJson(
                    $"Line {i + 1} is not 'Name: value'; a notification has such lines, an empty one, and its text.");
                continue;
            }

            buffer.Writer.WriteStartObject();
            buffer.Writer.WriteString(lines[i][..colon].Trim().ToLowerInvariant(), lines[i][(colon + 1)..].Trim());
            buffer.Writer.WriteEndObject();
        }

        problem ??= i == 0 ? Problem.BadJson("The notification has no headers.") : null;
        buffer.Writer.WriteStartObject();
        buffer.Writer.WriteString("event_text"u8, string.Join('\n', lines.Skip(i + 1)).TrimEnd());
        buffer.Writer.WriteEndObject();
        buffer.Writer.WriteEndArray();
        json = buffer.Finish();
        return problem;
    }

    private static string[] Lines(byte[] body) =>
        Encoding.UTF8.GetString(body).Split('\n').Select(static line => line.TrimEnd('\r')).ToArray();

    // An identifier with blanks stands in quotes.
    [GeneratedRegex(
        """^PUTVAL\s+("(?<host>[^/"]+)/(?<plugin_instance>[^/"]+)/(?<type_instance>[^/"]+)"|"""
            + """(?<host>[^/"\s]+)/(?<plugin_instance>[^/"\s]+)/(?<type_instance>[^/"\s]+))"""
            + """(\s+(interval="?(?<interval>[0-9.]+)"?|[a-z_:]+=\S+))*\s+"?(?<time>N|[0-9.]+):(?<value>[^\s"]+)"?\s*$""",
        RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant | RegexOptions.NonBacktracking, matchTimeoutMilliseconds: 5000)]
    private static partial Regex PutValue();
}
