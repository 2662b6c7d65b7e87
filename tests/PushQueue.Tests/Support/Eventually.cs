using System.Diagnostics;

namespace PushQueue.Tests.Support;

/// <summary>For what a background thread does in its own time and tells nobody: asks again until it is so.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(30);

    public static Task TrueAsync(Func<bool> condition, string what) => TrueAsync(() => Task.FromResult(condition()), what);

    public static async Task TrueAsync(Func<Task<bool>> condition, string what)
    {
        var started = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            if (Stopwatch.GetElapsedTime(started) > Bound)
            {
                throw new TimeoutException($"After {Bound.TotalSeconds:0} s this is still not so: {what}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(2), TimeProvider.System);
        }
    }
}
