namespace PushQueue.Transports.Json;

/// <summary>How several leases were settled.</summary>
/// <param name="Queue">The queue.</param>
/// <param name="Results">A result for each lease, in the order of the request.</param>
internal sealed record LeaseResultsContract(string Queue, LeaseResultContract[] Results);
