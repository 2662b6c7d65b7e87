namespace PushQueue.InProcess;

/// <summary>A queue has joined a stream over many.</summary>
/// <param name="Queue">The queue.</param>
/// <param name="Position">Where the stream begins in it.</param>
internal sealed record JoinedNotice(string Queue, string Position);
