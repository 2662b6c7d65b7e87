namespace PushQueue.InProcess;

/// <summary>A message that the consumer holds was cancelled.</summary>
internal sealed record CancelledNotice(string Queue, string Id);
