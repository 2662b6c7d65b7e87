using PushQueue.Queues;

namespace PushQueue.Storage.Redis;

/// <summary>What has to be done for a node that is gone, and after Redis itself was away.</summary>
internal interface IRedisUndertaker
{
    /// <summary>Gives back the leases that are bound to a node, in the queues that are noted for it and in those named.</summary>
    /// <param name="node">Its number.</param>
    /// <param name="mayWake">It may go on as if nothing had happened: it must get no lease in these queues any more.</param>
    /// <param name="queues">More queues, or null.</param>
    /// <returns>Where that succeeded. A queue in which it failed stays noted for the node and is tried again with a later beat.</returns>
    Task<EndedLeases> EndLeasesOfAsync(string node, bool mayWake, IEnumerable<QueueName>? queues = null);

    /// <summary>Takes a node off the lists.</summary>
    /// <param name="node">Its number.</param>
    /// <param name="ended">The queues in which its leases were given back.</param>
    /// <returns>False where it has noted others meanwhile, which must be looked at first.</returns>
    Task<bool> ForgetAsync(string node, IReadOnlyList<QueueName> ended);

    /// <summary>Gives back what Redis may have leased to this node in answers that never came, where it is time to look for that.</summary>
    Task ReleaseLostAsync();

    /// <summary>Notes anew in which queues a node has leases: a Redis that came back may have lost that.</summary>
    Task NoteQueuesAsync(NodeIdentity identity);

    /// <summary>Reads when every queue is due, and what it holds, and brings the index and the sums up to it.</summary>
    Task RegisterAllDueAsync();

    void TellResumed();
}

/// <summary>Where the leases of a node were ended.</summary>
/// <param name="Queues">The queues that were noted for the node and have no lease of it any more.</param>
/// <param name="AllEnded">False where a queue failed.</param>
internal readonly record struct EndedLeases(IReadOnlyList<QueueName> Queues, bool AllEnded);
