namespace PushQueue.Transports.Json;

/// <summary>The consumers of a queue that is watched.</summary>
/// <param name="Total">How many there are at all nodes.</param>
/// <param name="Consumers">The first of them.</param>
internal sealed record ListenersContract(int Total, IReadOnlyList<ConsumerContract> Consumers);
