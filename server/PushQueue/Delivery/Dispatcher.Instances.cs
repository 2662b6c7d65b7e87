using System.Collections.Concurrent;
using PushQueue.Delivery.Encoding;
using PushQueue.Queues;

namespace PushQueue.Delivery;

/// <summary>
/// Streams that replace an earlier one of the same client. A connection that broke without a word keeps its turn until nothing has
/// answered for long enough; a client that comes back under the same name ends it at once.
/// </summary>
internal sealed partial class Dispatcher
{
    private readonly ConcurrentDictionary<(QueueName Queue, string Instance), Consumer> _instances = new();

    /// <summary>Called when a stream came under a name that no other stream has here: another node may have the earlier one.</summary>
    public Action<QueueName, string>? InstanceCame { get; set; }

    /// <summary>Ends the stream of that name, because another node has a later one. False if there is no such stream.</summary>
    public bool EndInstance(QueueName queue, string instance) =>
        _instances.TryRemove((queue, instance), out var former) && Replace(former);

    private void TakeInstance(Consumer consumer, string instance)
    {
        Consumer? former = null;
        _ = _instances.AddOrUpdate(
            (consumer.Queue, instance),
            static (_, consumer) => consumer,
            (_, earlier, later) =>
            {
                former = earlier;
                return later;
            },
            consumer);
        if (former is not null)
        {
            _ = Replace(former);
        }
        else
        {
            InstanceCame?.Invoke(consumer.Queue, instance);
        }

        if (consumer.HasLeft)
        {
            // It left before its name was noted, and found nothing to forget.
            ForgetInstance(consumer);
        }
    }

    private void ForgetInstance(Consumer consumer)
    {
        if (consumer.Options.Instance is { } instance)
        {
            _ = _instances.TryRemove(KeyValuePair.Create((consumer.Queue, instance), consumer));
        }
    }

    /// <summary>The consumer gets nothing more from here on; what it held goes back as after a broken connection.</summary>
    private bool Replace(Consumer former)
    {
        if (!Leave(former))
        {
            return false;
        }

        _ = _graces.Forget(former);
        former.Dispatcher!.Exit();
        GiveBackAll(former);
        EndSubscription(former, CloseReason.Replaced);
        return true;
    }
}
