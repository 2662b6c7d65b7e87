using System.Text.Json.Serialization;

namespace PushQueue.Transports.Json;

/// <summary>The consumers of a queue, or one change of them.</summary>
internal sealed record PresenceContract
{
    /// <summary>Consumers that are listed; all are counted.</summary>
    public const int ListedMax = 1000;

    /// <summary>state, joined, left, settings or deleted; null in an answer to a request.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Event { get; init; }

    public required string Queue { get; init; }

    /// <summary>The number of consumers at all nodes.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Count { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<PresentConsumerContract>? Consumers { get; init; }

    /// <summary>The consumer that joined or left.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public PresentConsumerContract? Consumer { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public SettingsContract? Settings { get; init; }
}
