namespace PushQueue.Queues;

/// <summary>
/// How messages that were on their way to a client go back when its connection breaks, over every transport. Only work that a consumer is
/// known to have begun counts as an attempt. Else a client that connects and disconnects, or a server that stops, would dead-letter
/// messages that nobody read.
/// </summary>
internal static class BrokenConnection
{
    /// <summary>The client never got the message, or cannot have begun to work on it: ready again at its old place, uncounted.</summary>
    public static readonly ReleaseRequest NotBegun = new(TimeSpan.Zero, Error: null, CountsAsAttempt: false);

    /// <summary>The client was working on it: a failed attempt, after the retry delay.</summary>
    public static readonly ReleaseRequest Begun = new(Delay: null, "The consumer's connection ended.");
}
