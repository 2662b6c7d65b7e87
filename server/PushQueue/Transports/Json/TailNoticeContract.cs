using System.Text.Json.Serialization;

namespace PushQueue.Transports.Json;

/// <summary>Events of a queue that another node watches.</summary>
/// <param name="Node">The number of the node where they happened.</param>
/// <param name="Events">The events; nodes of earlier versions know the field as <c>tapped</c>.</param>
internal sealed record TailNoticeContract(long Node, [property: JsonPropertyName("tapped")] TailEventsContract Events);
