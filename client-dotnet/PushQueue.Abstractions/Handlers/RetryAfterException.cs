namespace PushQueue.Client;

/// <summary>Thrown by a handler: the attempt failed, and the next one is to begin after a wait that the handler knows.</summary>
public sealed class RetryAfterException : Exception
{
    /// <summary>A failed attempt.</summary>
    /// <param name="delay">The wait before the next one; zero for none, at most what the server allows for a delay.</param>
    /// <param name="reason">Kept with the message; null for a general sentence.</param>
    /// <param name="innerException">The cause.</param>
    public RetryAfterException(TimeSpan delay, string? reason = null, Exception? innerException = null)
        : base(reason ?? innerException?.Message ?? "The handler asked for another attempt later.", innerException)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(delay, TimeSpan.Zero);
        Delay = delay;
    }

    /// <summary>The wait before the next attempt.</summary>
    public TimeSpan Delay { get; }
}
