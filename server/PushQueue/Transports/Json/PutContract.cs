using System.ComponentModel;
using System.Text.Json.Serialization;

namespace PushQueue.Transports.Json;

/// <summary>The answer to a put.</summary>
/// <remarks>For the document of the API; <c>MessageJson</c> and <c>PutJson</c> write it by hand.</remarks>
internal sealed record PutContract
{
    public required string Queue { get; init; }

    public required string Id { get; init; }

    [Description("synced, interval:…, memory or the promise of the store.")]
    public required string Durability { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public bool? Duplicate { get; init; }

    [Description("Advice about a duplicate whose id is a number.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Detail { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public bool? Acked { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Worker { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Attempts { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public bool? Gone { get; init; }

    [Description("How many subscribers of the queue got a copy; present if there is at least one.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Copies { get; init; }
}
