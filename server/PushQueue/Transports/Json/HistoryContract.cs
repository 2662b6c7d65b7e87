namespace PushQueue.Transports.Json;

/// <summary>How much of its broadcast a queue keeps.</summary>
/// <param name="Messages">So many messages.</param>
/// <param name="Age">For so long.</param>
internal sealed record HistoryContract(int Messages, string Age);
