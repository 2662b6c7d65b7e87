using System.Globalization;
using PushQueue.Transports.Json;

namespace PushQueue.Dialects.RestMq;

/// <summary>A line of syslog as a message.</summary>
internal static class SyslogLine
{
    private const int PriorityMax = 191;

    /// <summary>
    /// The line as it came, who sent it, when it came in epoch seconds, and the two numbers of its priority, null where it has none.
    /// </summary>
    public static byte[] ToJson(string line, string host, DateTimeOffset now)
    {
        var json = JsonBuffer.Rent();
        var writer = json.Writer;
        writer.WriteStartObject();
        writer.WriteString("line"u8, line);
        writer.WriteString("host"u8, host);
        writer.WriteNumber("tstamp"u8, now.ToUnixTimeSeconds());
        if (Priority(line) is { } priority)
        {
            writer.WriteNumber("facility"u8, priority >> 3);
            writer.WriteNumber("severity"u8, priority & 7);
        }
        else
        {
            writer.WriteNull("facility"u8);
            writer.WriteNull("severity"u8);
        }

        writer.WriteEndObject();
        return json.Finish();
    }

    /// <summary>The number in <c>&lt;PRI&gt;</c>: eight times the facility, plus the severity.</summary>
    private static int? Priority(string line)
    {
        var end = line is ['<', ..] ? line.IndexOf('>', StringComparison.Ordinal) : -1;
        return end is >= 2 and <= 4
            && int.TryParse(line.AsSpan(1, end - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var priority)
            && priority <= PriorityMax
                ? priority
                : null;
    }
}
