using System.Text.Json;

namespace PushQueue.Dialects.Redisched;

/// <summary>Times as redisched's clients give them: epoch milliseconds, or seconds where the value is too small for those.</summary>
internal static class RedischedTime
{
    public const string Form = "epoch milliseconds, or epoch seconds below 100000000000";

    private const decimal SecondsBelow = 100_000_000_000;

    /// <summary>The last moment that is served: the first one of the year 9999.</summary>
    private const decimal MillisecondsMax = 253_370_764_800_000;

    private const decimal TimeToRunMsMax = 24 * 3600 * 1000;

    /// <param name="value">The value of the request.</param>
    /// <param name="time">The time.</param>
    /// <param name="inSeconds">Whether it was given in seconds.</param>
    /// <returns>False where it is negative or too late.</returns>
    public static bool TryRead(decimal value, out DateTimeOffset time, out bool inSeconds)
    {
        time = default;
        inSeconds = value < SecondsBelow;
        if (value is < 0 or > MillisecondsMax)
        {
            return false;
        }

        time = DateTimeOffset.FromUnixTimeMilliseconds((long)(inSeconds ? value * 1000 : value));
        return true;
    }

    /// <summary>A time to run of 1 ms to 24 h; false for any other.</summary>
    public static bool TryReadTimeToRun(decimal value, bool inSeconds, out TimeSpan timeToRun)
    {
        timeToRun = default;
        if (value < 0 || value > TimeToRunMsMax || (inSeconds && value > TimeToRunMsMax / 1000))
        {
            return false;
        }

        timeToRun = TimeSpan.FromMilliseconds((long)(inSeconds ? value * 1000 : value));
        return timeToRun > TimeSpan.Zero;
    }

    /// <summary>In milliseconds; in seconds where milliseconds would be read back as such.</summary>
    public static void Write(Utf8JsonWriter writer, ReadOnlySpan<byte> name, DateTimeOffset time)
    {
        var milliseconds = time.ToUnixTimeMilliseconds();
        if (milliseconds >= SecondsBelow)
        {
            writer.WriteNumber(name, milliseconds);
        }
        else
        {
            writer.WriteNumber(name, milliseconds % 1000 == 0 ? milliseconds / 1000 : milliseconds / 1000m);
        }
    }
}
