using System.Globalization;

namespace PushQueue.Cli;

/// <summary>Durations as the server reads them: <c>30</c> (seconds), <c>500ms</c>, <c>5m</c>, <c>2h</c>, <c>7d</c>.</summary>
internal static class Durations
{
    public static bool TryParse(string text, out TimeSpan duration)
    {
        var (number, unit) = text switch
        {
            [.. var head, 'm', 's'] => (head, 1d),
            [.. var head, 's'] => (head, 1000d),
            [.. var head, 'm'] => (head, 60_000d),
            [.. var head, 'h'] => (head, 3_600_000d),
            [.. var head, 'd'] => (head, 86_400_000d),
            _ => (text, 1000d),
        };
        var valid = double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var count)
            && count * unit < TimeSpan.MaxValue.TotalMilliseconds / 2;
        duration = valid ? TimeSpan.FromMilliseconds(count * unit) : default;
        return valid;
    }
}
