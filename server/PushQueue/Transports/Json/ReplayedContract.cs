using System.Text.Json.Serialization;

namespace PushQueue.Transports.Json;

/// <summary>How many dead letters were put back.</summary>
/// <param name="Queue">The queue that has them now.</param>
/// <param name="Replayed">The messages.</param>
/// <param name="More">Set where dead letters that match are left.</param>
internal sealed record ReplayedContract(
    string Queue, long Replayed, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool More);
