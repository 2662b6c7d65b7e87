using System.Globalization;

namespace PushQueue.Queues;

/// <summary>
/// Durations as users write them: <c>30</c>, <c>1.5</c>, <c>500ms</c>, <c>5m</c>, <c>2h</c>, <c>7d</c>; a bare number means seconds.
/// </summary>
internal static class Duration
{
    /// <summary>The longest duration that an option accepts. Long enough for any schedule, short enough that sums never overflow.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(3660);

    /// <summary>Reads a duration from 0 to <see cref="Longest"/>. Negative, infinite and absurd ones are refused.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out TimeSpan duration)
    {
        duration = default;
        var unit = UnitOf(text, out var unitLength);
        var digits = text[..^unitLength];
        const NumberStyles Style = NumberStyles.AllowDecimalPoint;
        if (digits.IsEmpty || digits.Length > 32 || !decimal.TryParse(digits, Style, CultureInfo.InvariantCulture, out var amount))
        {
            return false;
        }

        if (amount < 0 || amount > (decimal)Longest.Ticks / unit)
        {
            return false;
        }

        duration = TimeSpan.FromTicks((long)(amount * unit));
        return true;
    }

    private static long UnitOf(ReadOnlySpan<char> text, out int length)
    {
        length = 1;
        switch (text)
        {
            case [.., 'm', 's']:
                length = 2;
                return TimeSpan.TicksPerMillisecond;
            case [.., 's']:
                return TimeSpan.TicksPerSecond;
            case [.., 'm']:
                return TimeSpan.TicksPerMinute;
            case [.., 'h']:
                return TimeSpan.TicksPerHour;
            case [.., 'd']:
                return TimeSpan.TicksPerDay;
            default:
                length = 0;
                return TimeSpan.TicksPerSecond;
        }
    }

    /// <summary>The shortest of the forms that <see cref="TryParse"/> reads.</summary>
    public static string Format(TimeSpan duration)
    {
        var culture = CultureInfo.InvariantCulture;
        if (duration == TimeSpan.Zero)
        {
            return "0";
        }

        if (duration.Ticks % TimeSpan.TicksPerSecond != 0)
        {
            return (duration.Ticks / (decimal)TimeSpan.TicksPerMillisecond).ToString("0.####", culture) + "ms";
        }

        if (duration.Ticks % TimeSpan.TicksPerHour == 0)
        {
            return (duration.Ticks / TimeSpan.TicksPerHour).ToString(culture) + "h";
        }

        return duration.Ticks % TimeSpan.TicksPerMinute == 0
            ? (duration.Ticks / TimeSpan.TicksPerMinute).ToString(culture) + "m"
            : (duration.Ticks / TimeSpan.TicksPerSecond).ToString(culture) + "s";
    }
}
