using System.Globalization;
using PushQueue.Queues;

namespace PushQueue.Transports;

/// <summary>
/// Reads the values of options, the same for query strings, envelopes and commands. Each method answers the problem, or null when the
/// value is good.
/// </summary>
internal static class OptionValues
{
    /// <summary>Long enough for any name of a key or a worker, short enough to keep a million of them.</summary>
    private const int TextBytesMax = 255;

    /// <summary>The longest lease; longer work extends its lease by touch.</summary>
    public static readonly TimeSpan TimeToRunMax = TimeSpan.FromHours(24);

    /// <summary>The shortest lease: below it an answer over a slow network would find its lease ended.</summary>
    public static readonly TimeSpan TimeToRunMin = TimeSpan.FromMilliseconds(100);

    /// <summary>Whether a name is in a list of names that are separated by a comma and a space.</summary>
    public static bool IsOneOf(string names, ReadOnlySpan<char> name)
    {
        foreach (var range in names.AsSpan().Split(", "))
        {
            if (names.AsSpan()[range].SequenceEqual(name))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether an option may be given several times, once per condition.</summary>
    public static bool MayRepeat(ReadOnlySpan<char> name) => name is "where";

    public static Problem Unknown(ReadOnlySpan<char> name, string allowed) => allowed.Length == 0
        ? Problem.BadOption($"There is no option '{Shown(name)}' here; this request takes none.")
        : Problem.BadOption($"There is no option '{Shown(name)}' here; the options are: {allowed}.");

    public static Problem? Duration(string name, string value, TimeSpan min, TimeSpan max, out TimeSpan duration)
    {
        if (Queues.Duration.TryParse(value, out duration) && duration >= min && duration <= max)
        {
            return null;
        }

        var range = min > TimeSpan.Zero ? $"more than 0 and at most {Queues.Duration.Format(max)}" : $"0 to {Queues.Duration.Format(max)}";
        return Problem.BadOption($"The option '{name}' is '{Shown(value)}'; give {range}, written like 30, 1.5, 500ms, 5m or 2h.");
    }

    public static Problem? TimeToRun(string value, out TimeSpan duration) =>
        Queues.Duration.TryParse(value, out duration) && duration >= TimeToRunMin && duration <= TimeToRunMax
            ? null
            : Problem.BadOption($"The option 'ttr' is '{Shown(value)}'; give 100ms to 24h, written like 30, 1.5, 500ms, 5m or 2h. Longer "
                + "work extends its lease by touch.");

    public static Problem? WaitForAck(string value, out TimeSpan? wait, out bool known)
    {
        known = true;
        var problem = Duration("waitForAck", value, TimeSpan.Zero, MessageBroker.WaitMax, out var patience);
        wait = patience;
        return problem;
    }

    public static Problem? LongInteger(string name, string value, long min, long max, out long number) =>
        long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out number) && number >= min && number <= max
            ? null
            : Problem.BadOption($"The option '{name}' is '{Shown(value)}'; give a whole number from {min} to {max}.");

    public static Problem? Integer(string name, string value, int min, int max, out int number)
    {
        var problem = LongInteger(name, value, min, max, out var wide);
        number = (int)wide;
        return problem;
    }

    public static Problem? Flag(string name, string value, out bool flag)
    {
        flag = value is "true" or "1" or "";
        return flag || value is "false" or "0" ? null : Problem.BadOption($"The option '{name}' is '{Shown(value)}'; give true or false.");
    }

    public static Problem? Text(string name, string value, out string text)
    {
        text = value;
        var bytes = QueueName.Utf8Length(value);
        return bytes is >= 1 and <= TextBytesMax && !value.Any(char.IsControl)
            ? null
            : Problem.BadOption($"The option '{name}' must have 1 to {TextBytesMax} bytes of UTF-8 without control characters.");
    }

    /// <summary>A time in ISO 8601 (UTC where it has no offset) or in seconds since 1970.</summary>
    public static Problem? Time(string name, string value, DateTimeOffset now, out DateTimeOffset time)
    {
        if (TryTime(value, out time) && time <= now + Queues.Duration.Longest)
        {
            return null;
        }

        return Problem.BadOption(
            $"The option '{name}' is '{Shown(value)}'; give a time like 2030-01-31T08:00:00Z or seconds since 1970, at most ten years "
                + "ahead."
            + AdviceOnTime(value));
    }

    /// <summary>A value to write instead, if the given one shows what was meant.</summary>
    private static string AdviceOnTime(string value)
    {
        if (long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 100_000_000_000)
        {
            return $" It looks like milliseconds since 1970; the seconds are {number / 1000}.";
        }

        return value.Contains(":60", StringComparison.Ordinal) ? " A leap second is not a time here; write second 59 instead of 60."
            : value.Contains("T24:00", StringComparison.Ordinal) ? " Write midnight at the end of a day as T00:00:00 of the next day."
            : "";
    }

    public static Problem? RetryDelay(string name, string value, out RetryDelay? delay) =>
        Queues.RetryDelay.TryParse(value, out delay)
            ? null
            : Problem.BadOption($"The option '{name}' is '{Shown(value)}'; give 0, a time like 30s, or exponential:1s..5m.");

    public static Problem? Policy(string value, out DeliveryPolicy policy)
    {
        policy = value == "roundrobin" ? DeliveryPolicy.RoundRobin : DeliveryPolicy.Broadcast;
        return value is "roundrobin" or "broadcast"
            ? null
            : Problem.BadOption($"The policy is '{Shown(value)}'; give broadcast or roundrobin.");
    }

    public static Problem? Status(string value, out bool stopped)
    {
        stopped = value is "stop" or "stopped";
        return stopped || value is "start" or "started"
            ? null
            : Problem.BadOption($"The status is '{Shown(value)}'; give start or stop.");
    }

    public static Problem? Receipt(string value, out Receipt receipt) =>
        Queues.Receipt.TryParse(value, out receipt)
            ? null
            : Problem.BadOption($"'{Shown(value)}' is not a receipt; give the 16 hexadecimal digits that came with the lease.");

    /// <summary>A client's text, short enough to be repeated to it.</summary>
    public static string Shown(ReadOnlySpan<char> text) => text.Length <= 64 ? text.ToString() : string.Concat(text[..64], "…");

    private static bool TryTime(string value, out DateTimeOffset time)
    {
        time = default;
        const NumberStyles Style = NumberStyles.AllowDecimalPoint;
        if (value.Length <= 20 && decimal.TryParse(value, Style, CultureInfo.InvariantCulture, out var seconds))
        {
            if (seconds > 253_402_300_799m)
            {
                return false;
            }

            time = DateTimeOffset.UnixEpoch.AddTicks((long)(seconds * TimeSpan.TicksPerSecond));
            return true;
        }

        // A '+' that was not encoded in a query string has become a space: 08:00:00 02:00 means 08:00:00+02:00.
        var iso = value.Length > 16 && value[10] == 'T' ? value.Replace(' ', '+') : value;
        return iso.Length is >= 10 and <= 40
            && iso[4] == '-'
            && iso[7] == '-'
            && DateTimeOffset.TryParse(
                iso, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out time);
    }
}
