using PushQueue.Queues;

namespace PushQueue.Storage.Embedded.Records;

/// <summary>The current lease of a message.</summary>
/// <param name="Receipt">The receipt that must be presented.</param>
/// <param name="UntilMs">When it ends; <see cref="long.MaxValue"/> while its holder's connection guards it.</param>
/// <param name="Worker">The worker that holds it.</param>
/// <param name="Delivery">Only for the time of a write; not recorded, no attempt.</param>
/// <param name="CallerUntilMs">When it ends by the clock of a caller who chose by a time of its own; 0 where none did.</param>
internal sealed record LeaseDetails(Receipt Receipt, long UntilMs, string? Worker, bool Delivery, long CallerUntilMs = 0);
