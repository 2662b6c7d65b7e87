namespace PushQueue.Diagnostics;

/// <summary>What the other nodes that share the queues know.</summary>
internal interface IOtherNodes
{
    /// <summary>
    /// How many consumers the queues have at the other nodes, by the queues' names. Who does not answer in time is left out.
    /// </summary>
    ValueTask<IReadOnlyDictionary<string, int>> ConsumerCountsAsync();
}
