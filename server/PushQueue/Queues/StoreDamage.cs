namespace PushQueue.Queues;

/// <summary>Damage that a store found since it was opened.</summary>
/// <param name="Places">How many places are damaged or missing.</param>
/// <param name="Latest">The latest of them, as a sentence for people.</param>
internal sealed record StoreDamage(long Places, string Latest);
