namespace PushQueue.Transports.Json;

/// <summary>How many messages a purge removed.</summary>
/// <param name="Queue">The queue.</param>
/// <param name="Purged">The messages.</param>
internal sealed record PurgedContract(string Queue, long Purged);
