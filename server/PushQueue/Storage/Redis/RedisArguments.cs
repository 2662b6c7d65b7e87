using System.Globalization;
using PushQueue.Queues;
using StackExchange.Redis;

namespace PushQueue.Storage.Redis;

/// <summary>Arguments as scripts take them.</summary>
internal static class RedisArguments
{
    /// <summary>The year 2109. A ready message's score holds its priority above so many bits.</summary>
    private const long LatestMs = (1L << 42) - 1;

    public static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>A time: Unix milliseconds, within the range that a score can hold together with a priority.</summary>
    public static string Text(DateTimeOffset time) => Text(Math.Clamp(time.ToUnixTimeMilliseconds(), 1, LatestMs));

    /// <summary>A time; empty for none.</summary>
    public static string Text(DateTimeOffset? time) => time is { } given ? Text(given) : string.Empty;

    public static long Ms(TimeSpan duration) => (long)duration.TotalMilliseconds;

    /// <summary>Since when a message is available, as Put.lua takes it.</summary>
    public static RedisValue Available(NewMessage message)
    {
        if (message is { AvailableAt: null, CountsAsFailure: false })
        {
            return 0;
        }

        var keeps = message is { KeepsPastTime: true, AvailableAt: not null } ? "k" : string.Empty;
        return $"{(message.AvailableAt is { } at ? Text(at) : "0")}{keeps}{(message.CountsAsFailure ? "b" : string.Empty)}";
    }
}
