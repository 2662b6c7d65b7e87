using System.ComponentModel;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace PushQueue.Transports.Json;

/// <summary>A command of the JSON protocol. Options are further fields, with the names of the query parameters.</summary>
internal sealed record CommandContract
{
    [Description("put (add), look (get), take, lease, cancel (del), purge, ack, release, touch, policy or control.")]
    public required string Cmd { get; init; }

    public required string Queue { get; init; }

    [Description("Any JSON value; the answer repeats it.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public JsonElement? Ref { get; init; }
}
