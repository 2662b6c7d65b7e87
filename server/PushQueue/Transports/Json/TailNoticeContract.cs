namespace PushQueue.Transports.Json;

/// <summary>Events of a queue that another node watches.</summary>
/// <param name="Node">The number of the node where they happened.</param>
/// <param name="Tapped">The events.</param>
internal sealed record TailNoticeContract(long Node, TappedContract Tapped);
