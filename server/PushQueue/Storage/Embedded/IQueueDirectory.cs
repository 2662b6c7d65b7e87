using PushQueue.Queues;

namespace PushQueue.Storage.Embedded;

/// <summary>Finds the queues of a store by name.</summary>
internal interface IQueueDirectory
{
    EmbeddedQueue? Find(QueueName name);

    EmbeddedQueue GetOrCreate(QueueName name);

    /// <summary>
    /// The same for a caller with a lock: it calls <see cref="NotifyMade"/> when it has left that.
    /// </summary>
    /// <param name="name">The name.</param>
    /// <param name="isNew">Whether the queue was made.</param>
    EmbeddedQueue GetOrCreateSilently(QueueName name, out bool isNew);

    /// <summary>Notifies of a queue that was made. Called without a lock.</summary>
    void NotifyMade(QueueName name);

    /// <summary>
    /// Deletes a queue that nobody has used for as long as its setting says, unless somebody is connected to it. Called without its lock.
    /// </summary>
    void DeleteUnused(EmbeddedQueue queue);
}
