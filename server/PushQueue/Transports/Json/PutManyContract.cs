using System.ComponentModel;
using System.Text.Json.Serialization;

namespace PushQueue.Transports.Json;

/// <summary>The answer to a put of many messages.</summary>
/// <remarks>For the document of the API; <c>MessageJson</c> and <c>PutJson</c> write it by hand.</remarks>
internal sealed record PutManyContract
{
    public required string Queue { get; init; }

    public required IReadOnlyList<string> Ids { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Duplicates { get; init; }

    public required string Durability { get; init; }

    [Description("How many subscribers of the queue got a copy; present if there is at least one.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Copies { get; init; }

    [Description("Advice about duplicates whose ids are numbers.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Detail { get; init; }
}
