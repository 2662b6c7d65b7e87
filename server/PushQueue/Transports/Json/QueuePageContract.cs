namespace PushQueue.Transports.Json;

/// <summary>Some of the queues, in the order of their names.</summary>
/// <param name="Queues">The page.</param>
/// <param name="Total">How many queues there are in all.</param>
/// <param name="Next">The <c>after</c> of the next page; null on the last.</param>
internal sealed record QueuePageContract(IReadOnlyList<QueueContract> Queues, long Total, string? Next);
