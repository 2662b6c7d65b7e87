namespace PushQueue.Transports.Json;

/// <summary>Damage that the store found since it was opened.</summary>
/// <param name="Places">How many places.</param>
/// <param name="Latest">The latest of them, as a sentence.</param>
internal sealed record DamageContract(long Places, string Latest);
