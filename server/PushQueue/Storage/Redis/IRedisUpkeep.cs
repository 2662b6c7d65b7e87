using PushQueue.Queues;

namespace PushQueue.Storage.Redis;

/// <summary>The store's work for nodes that are gone, and after Redis was away.</summary>
internal interface IRedisUpkeep
{
    /// <summary>Returns the leases that are bound to a node, in the queues that are recorded for it and in those given.</summary>
    /// <param name="node">Its number.</param>
    /// <param name="mayWake">The node may only be frozen and continue later: it must get no lease in these queues any more.</param>
    /// <param name="queues">More queues, or null.</param>
    /// <returns>The queues in which that succeeded. A queue in which it failed stays recorded for the node and is tried again at a later
    /// heartbeat.</returns>
    Task<EndedLeases> EndLeasesOfAsync(string node, bool mayWake, IEnumerable<QueueName>? queues = null);

    /// <summary>Removes a node from the lists.</summary>
    /// <param name="node">Its number.</param>
    /// <param name="ended">The queues in which its leases were given back.</param>
    /// <returns>False if the node has recorded other queues meanwhile; their leases must be ended first.</returns>
    Task<bool> ForgetAsync(string node, IReadOnlyList<QueueName> ended);

    /// <summary>
    /// Returns leases that Redis may have given to this node in answers that never arrived, if it is time to look for them.
    /// </summary>
    Task ReleaseLostAsync();

    /// <summary>Starts the histories of queues that feed others, where that failed when the subscription was stored.</summary>
    Task FeedHistoriesAsync();

    /// <summary>Records again in which queues a node has leases: a Redis that came back may have lost that.</summary>
    Task RecordQueuesAsync(NodeIdentity identity);

    /// <summary>Reads the due time and the contents of every queue, and corrects the index of due times and the totals.</summary>
    Task RegisterAllDueAsync();

    /// <summary>Reports that notifications may have been missed.</summary>
    void NotifyResumed();
}

/// <summary>The queues in which the leases of a node were ended.</summary>
/// <param name="Queues">The queues that were recorded for the node and have no lease of it any more.</param>
/// <param name="AllEnded">False if a queue failed.</param>
internal readonly record struct EndedLeases(IReadOnlyList<QueueName> Queues, bool AllEnded);
