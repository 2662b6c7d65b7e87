using PushQueue.Queues;

namespace PushQueue.Storage.Embedded;

/// <summary>The queues that get a copy of each message that is put into one queue. Immutable; made when a subscription changes.</summary>
internal sealed class SubscriberSet
{
    /// <param name="source">The queue that feeds them.</param>
    /// <param name="subscribers">At least one.</param>
    public SubscriberSet(EmbeddedQueue source, IReadOnlyList<Subscriber> subscribers)
    {
        Subscribers = [.. subscribers];
        InLockOrder = [.. subscribers.Select(static subscriber => subscriber.Queue).Append(source).OrderBy(static queue => queue.Number)];
    }

    public Subscriber[] Subscribers { get; }

    /// <summary>The source and the subscribers, in the order in which their locks are taken.</summary>
    public EmbeddedQueue[] InLockOrder { get; }
}

/// <summary>A queue that gets copies, and of which messages.</summary>
/// <param name="Queue">The queue.</param>
/// <param name="Entries">Those of its subscriptions that mean the source; a message that one of them wants is copied once.</param>
internal sealed record Subscriber(EmbeddedQueue Queue, IReadOnlyList<QueueSubscription> Entries)
{
    public bool Wants(MessageHeaders? headers)
    {
        foreach (var entry in Entries)
        {
            if (entry.Wants(headers))
            {
                return true;
            }
        }

        return false;
    }
}
