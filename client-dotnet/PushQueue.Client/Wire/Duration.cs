using System.Globalization;

namespace PushQueue.Client.Wire;

/// <summary>Durations as the server reads them.</summary>
internal static class Duration
{
    /// <summary>In milliseconds, rounded up.</summary>
    public static string? Format(TimeSpan? duration) =>
        duration is { } given ? string.Create(CultureInfo.InvariantCulture, $"{(long)Math.Ceiling(given.TotalMilliseconds)}ms") : null;
}
