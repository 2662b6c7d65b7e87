namespace PushQueue.EntityFrameworkCore;

/// <summary>Waits that double up to a minute. Half of each is left to chance, so that many programs do not come back in step.</summary>
internal static class Backoff
{
    private static readonly TimeSpan First = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(1);

    /// <summary>The wait after so many failures in a row, from 1.</summary>
    public static TimeSpan After(int failures)
    {
        var doubled = First * Math.Pow(2, Math.Min(failures - 1, 10));
        return (doubled < Longest ? doubled : Longest) * (0.5 + (Random.Shared.NextDouble() / 2));
    }
}
