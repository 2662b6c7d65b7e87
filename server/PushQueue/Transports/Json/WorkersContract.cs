namespace PushQueue.Transports.Json;

/// <summary>The workers with a names, and the consumers of all queues.</summary>
/// <param name="Workers">In the order of their names.</param>
/// <param name="Consumers">Those of this node, then those of the others.</param>
internal sealed record WorkersContract(IReadOnlyList<WorkerContract> Workers, IReadOnlyList<ConsumerContract> Consumers);
