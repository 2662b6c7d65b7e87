namespace PushQueue.Client;

/// <summary>Messages that a stream does not get.</summary>
/// <param name="Queue">The queue.</param>
/// <param name="From">The first offset that is missed; null where nobody can say.</param>
/// <param name="To">The last one.</param>
/// <param name="Count">How many.</param>
/// <param name="Cause"><c>expired</c>: history no longer reaches back so far; <c>overflow</c>: this program read too slowly; <c>reset</c>:
/// the server's offsets began again.</param>
public sealed record Gap(string Queue, long? From, long? To, long? Count, string Cause);

/// <summary>A stream that is about to connect again.</summary>
/// <param name="Queue">The queue.</param>
/// <param name="Attempt">The number of the try, from 1, since the stream last stood.</param>
/// <param name="Delay">The wait before it.</param>
/// <param name="Cause">Why; null where the server asked for it.</param>
public sealed record Reconnecting(string Queue, int Attempt, TimeSpan Delay, PushQueueException? Cause);
