namespace PushQueue.Transports.Json;

/// <summary>Notable events of one node.</summary>
/// <param name="Events">The newest first.</param>
internal sealed record EventsContract(IReadOnlyList<EventContract> Events);
