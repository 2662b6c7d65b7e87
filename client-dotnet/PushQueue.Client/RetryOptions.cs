using PushQueue.Client.Wire;

namespace PushQueue.Client;

/// <summary>How often and how soon something is tried again that failed for a reason that may pass.</summary>
public sealed class RetryOptions
{
    /// <summary>How often it is tried in all, the first time included; 1 for no second try. At least 1; default 4.</summary>
    public int Attempts { get; set; } = 4;

    /// <summary>The wait before the second try; doubles with each. Default 200 ms.</summary>
    public TimeSpan FirstDelay { get; set; } = TimeSpan.FromMilliseconds(200);

    /// <summary>No wait is longer. Default 5 s.</summary>
    public TimeSpan LongestDelay { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Half of the wait is left to chance, so that many clients do not come back in step.</summary>
    internal TimeSpan DelayBefore(int attempt)
    {
        var doubled = FirstDelay.TotalMilliseconds * Math.Pow(2, Math.Clamp(attempt - 2, 0, 30));
        var longest = Math.Min(doubled, Timeouts.OrLongest(LongestDelay).TotalMilliseconds);
        return TimeSpan.FromMilliseconds(longest * (0.5 + (Random.Shared.NextDouble() / 2)));
    }
}
