namespace PushQueue.Transports.Json;

/// <summary>The nodes that serve the queues.</summary>
/// <param name="Nodes">The node that answers, then the others.</param>
internal sealed record NodesContract(IReadOnlyList<NodeContract> Nodes);
