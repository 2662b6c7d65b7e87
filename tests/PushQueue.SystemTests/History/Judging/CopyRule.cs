namespace PushQueue.SystemTests.History.Judging;

/// <summary>A queue subscription: what is put into one queue is also put into another.</summary>
/// <param name="Source">The queue of the put.</param>
/// <param name="Subscriber">The queue that gets the copies.</param>
/// <param name="Wants">Whether the filter of the subscription fits the message with that key.</param>
internal sealed record CopyRule(string Source, string Subscriber, Func<string, bool> Wants);
