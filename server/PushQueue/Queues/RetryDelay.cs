using System.Diagnostics.CodeAnalysis;

namespace PushQueue.Queues;

/// <summary>
/// How long a message waits between attempts: <c>0</c>, a fixed time (<c>30s</c>) or <c>exponential:MIN..MAX</c>, which doubles from MIN
/// with every attempt and never exceeds MAX.
/// </summary>
internal sealed record RetryDelay(TimeSpan First, TimeSpan Last)
{
    private const string ExponentialPrefix = "exponential:";

    public static RetryDelay None { get; } = new(TimeSpan.Zero, TimeSpan.Zero);

    public static RetryDelay Fixed(TimeSpan delay) => new(delay, delay);

    /// <summary>The wait after the given attempt (1 for the first).</summary>
    public TimeSpan After(int attempt)
    {
        if (First == Last || First == TimeSpan.Zero)
        {
            return First;
        }

        var factor = Math.Pow(2, Math.Clamp(attempt - 1, 0, 62));
        var ticks = First.Ticks * factor;
        return ticks >= Last.Ticks ? Last : TimeSpan.FromTicks((long)ticks);
    }

    public static bool TryParse(string? text, [NotNullWhen(true)] out RetryDelay? delay)
    {
        delay = null;
        if (text is null)
        {
            return false;
        }

        if (!text.StartsWith(ExponentialPrefix, StringComparison.Ordinal))
        {
            if (!Duration.TryParse(text, out var fixedDelay))
            {
                return false;
            }

            delay = Fixed(fixedDelay);
            return true;
        }

        var range = text.AsSpan(ExponentialPrefix.Length);
        var dots = range.IndexOf("..", StringComparison.Ordinal);
        if (dots < 0
            || !Duration.TryParse(range[..dots], out var first)
            || !Duration.TryParse(range[(dots + 2)..], out var last)
            || first <= TimeSpan.Zero
            || last < first)
        {
            return false;
        }

        delay = new RetryDelay(first, last);
        return true;
    }

    public override string ToString() =>
        First == Last ? Duration.Format(First) : $"{ExponentialPrefix}{Duration.Format(First)}..{Duration.Format(Last)}";
}
