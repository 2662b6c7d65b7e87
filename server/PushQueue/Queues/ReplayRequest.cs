namespace PushQueue.Queues;

/// <summary>Which dead letters are put back, and how fast.</summary>
/// <param name="Id">One message; null for all that fit.</param>
/// <param name="Count">At most this many.</param>
/// <param name="Reason">Only those that were dead-lettered for this reason, or whose last error it is.</param>
/// <param name="Before">Only those that were dead-lettered before this time.</param>
/// <param name="PerSecond">At most this many a second; null for as fast as it goes.</param>
internal sealed record ReplayRequest(
    MessageId? Id = null, int Count = int.MaxValue, string? Reason = null, DateTimeOffset? Before = null, int? PerSecond = null)
{
    /// <summary>Whether the store can do it in one step.</summary>
    public bool IsPlain => Reason is null && Before is null && PerSecond is null;
}

/// <summary>The outcome of a replay.</summary>
/// <param name="Replayed">How many messages were put back.</param>
/// <param name="More">It ran as long as a request may; asking again goes on.</param>
internal readonly record struct ReplayOutcome(int Replayed, bool More);
