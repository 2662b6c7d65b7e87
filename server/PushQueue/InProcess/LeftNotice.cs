namespace PushQueue.InProcess;

/// <summary>A queue has left a stream over many, or does not join it.</summary>
/// <param name="Queue">The queue.</param>
/// <param name="Code">Why, as in the event <c>close</c>.</param>
internal sealed record LeftNotice(string Queue, string Code);
