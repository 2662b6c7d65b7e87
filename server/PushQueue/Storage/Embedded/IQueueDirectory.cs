using PushQueue.Queues;

namespace PushQueue.Storage.Embedded;

/// <summary>Finds the queues of a store by name.</summary>
internal interface IQueueDirectory
{
    EmbeddedQueue? Find(QueueName name);

    EmbeddedQueue GetOrCreate(QueueName name);

    /// <summary>
    /// Deletes a queue that nobody has used for as long as its setting says, unless somebody is connected to it. Called without its lock.
    /// </summary>
    void DeleteUnused(EmbeddedQueue queue);
}
