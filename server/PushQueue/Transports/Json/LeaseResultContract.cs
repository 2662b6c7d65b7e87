using System.Text.Json.Serialization;
using PushQueue.Queues;

namespace PushQueue.Transports.Json;

/// <summary>How one of several leases was settled.</summary>
/// <param name="Id">The message.</param>
/// <param name="Ok">Set where all is well.</param>
/// <param name="Error">The type of the problem; null where all is well.</param>
internal readonly record struct LeaseResultContract(
    [property: JsonConverter(typeof(MessageIdConverter))] MessageId Id,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool Ok,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Error);
