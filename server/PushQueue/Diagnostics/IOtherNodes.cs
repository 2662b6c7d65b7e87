namespace PushQueue.Diagnostics;

/// <summary>The knowledge of the other nodes that share the queues.</summary>
internal interface IOtherNodes
{
    /// <summary>
    /// How many consumers the queues have at the other nodes, by the queues' names. A node that does not answer in time is left out.
    /// </summary>
    ValueTask<IReadOnlyDictionary<string, int>> ConsumerCountsAsync();
}
