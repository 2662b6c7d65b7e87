namespace PushQueue.Transports.Json;

/// <summary>The consumers of one queue, at all nodes.</summary>
/// <param name="Queue">The queue.</param>
/// <param name="Consumers">Those of this node, then those of the others.</param>
internal sealed record ConsumersContract(string Queue, IReadOnlyList<ConsumerContract> Consumers);
