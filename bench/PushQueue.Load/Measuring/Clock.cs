using System.Diagnostics;

namespace PushQueue.Load.Measuring;

/// <summary>Nanoseconds of the monotonic clock; Stopwatch's ticks are nanoseconds on Linux, which the tool needs anyway.</summary>
internal static class Clock
{
    internal static long Now => Stopwatch.GetTimestamp();

    internal static double SecondsSince(long start) => Stopwatch.GetElapsedTime(start).TotalSeconds;
}
