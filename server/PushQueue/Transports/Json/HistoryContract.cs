namespace PushQueue.Transports.Json;

/// <summary>How much of its broadcast a queue keeps.</summary>
/// <param name="Messages">So many messages.</param>
/// <param name="Age">For so long.</param>
/// <param name="PerKey">And the newest message of each key, for ever.</param>
internal sealed record HistoryContract(int Messages, [property: DurationText] string Age, bool PerKey);
