using PushQueue.Delivery.Encoding;
using PushQueue.Queues;

namespace PushQueue.Delivery;

/// <summary>The consumers of this node.</summary>
internal sealed partial class Dispatcher
{
    /// <summary>How many consumers of the queue are connected.</summary>
    public int CountConsumers(QueueName queue) => Find(queue)?.Connected ?? 0;

    /// <summary>How many consumers each queue has here, of those that have any.</summary>
    public IEnumerable<KeyValuePair<QueueName, int>> CountConsumers() =>
        _queues.Select(static pair => KeyValuePair.Create(pair.Key, pair.Value.Connected)).Where(static pair => pair.Value > 0);

    public bool Uses(QueueName queue) => CountConsumers(queue) > 0;

    public bool? Pushes(QueueName queue) => Find(queue)?.PushesNow is true ? true : null;

    /// <summary>The queues that have consumers here.</summary>
    public IEnumerable<QueueDispatcher> Queues => _queues.Select(static pair => pair.Value);

    /// <summary>The consumers of one queue, or of all, in the order of their coming.</summary>
    public IReadOnlyList<Consumer> ListConsumers(QueueName? queue)
    {
        var found = new List<Consumer>();
        foreach (var buffer in registry.Buffers)
        {
            foreach (var consumer in buffer.Consumers)
            {
                // A consumer whose place was taken stays with its connection until that has ended.
                if (!consumer.HasLeft && (queue is not { } wanted || consumer.Queue == wanted))
                {
                    found.Add(consumer);
                }
            }
        }

        found.Sort(static (one, other) => one.Number.CompareTo(other.Number));
        return found;
    }

    /// <summary>Ends one consumer's stream. False where it is not there.</summary>
    public bool Disconnect(QueueName queue, long number)
    {
        if (ListConsumers(queue).FirstOrDefault(consumer => consumer.Number == number) is not { } found)
        {
            return false;
        }

        EndSubscription(found, CloseReason.Disconnected);
        return true;
    }
}
