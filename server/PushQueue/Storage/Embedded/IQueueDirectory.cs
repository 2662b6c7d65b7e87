using PushQueue.Queues;

namespace PushQueue.Storage.Embedded;

/// <summary>Finds the queues of a store by name.</summary>
internal interface IQueueDirectory
{
    EmbeddedQueue? Find(QueueName name);

    EmbeddedQueue GetOrCreate(QueueName name);
}
