namespace PushQueue.Transports.Json;

/// <summary>The policy of a queue.</summary>
/// <param name="Queue">The queue.</param>
/// <param name="Policy">broadcast or roundrobin.</param>
internal sealed record PolicyContract(string Queue, [property: Words("broadcast", "roundrobin")] string Policy);
