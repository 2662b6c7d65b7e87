namespace PushQueue.Transports.Json;

/// <summary>Whether a queue is started.</summary>
/// <param name="Queue">The queue.</param>
/// <param name="Status">started or stopped.</param>
internal sealed record StatusContract(string Queue, [property: Words("started", "stopped")] string Status);
