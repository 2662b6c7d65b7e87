namespace PushQueue.Transports.Json;

/// <summary>Some of the keys of a queue, in their order.</summary>
/// <param name="Queue">The queue.</param>
/// <param name="Keys">The page.</param>
/// <param name="Next">The <c>after</c> of the next page; null on the last.</param>
internal sealed record KeyPageContract(string Queue, IReadOnlyList<KeyContract> Keys, string? Next);
