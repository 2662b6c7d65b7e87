using PushQueue.Queues;

namespace PushQueue.Storage.Embedded;

/// <summary>All subscriptions of the store, by what they name. Immutable.</summary>
internal sealed class SubscriptionTable
{
    private readonly Dictionary<EmbeddedQueue, QueueSubscriptions> _subscribers;
    private readonly ILookup<string, EmbeddedQueue> _byName;
    private readonly EmbeddedQueue[] _byPattern;

    private SubscriptionTable(Dictionary<EmbeddedQueue, QueueSubscriptions> subscribers)
    {
        _subscribers = subscribers;
        Count = subscribers.Values.Sum(static subscriptions => subscriptions.Count);
        var entries = subscribers.SelectMany(static pair => pair.Value.Entries, static (pair, entry) => (Queue: pair.Key, entry.To))
            .ToList();
        _byName = entries.Where(static entry => !NamePattern.Has(entry.To)).ToLookup(
            static entry => entry.To, static entry => entry.Queue, StringComparer.Ordinal);
        _byPattern = [.. entries.Where(static entry => NamePattern.Has(entry.To)).Select(static entry => entry.Queue).Distinct()];
    }

    public static SubscriptionTable Empty { get; } = new([]);

    /// <summary>How many subscriptions there are.</summary>
    public int Count { get; }

    public static SubscriptionTable Of(IEnumerable<EmbeddedQueue> queues) => new(
        queues.Where(static queue => queue.Settings.Subscriptions.Count > 0)
            .ToDictionary(static queue => queue, static queue => queue.Settings.Subscriptions));

    /// <summary>The same with other subscriptions of one queue; none of a queue that is deleted.</summary>
    public SubscriptionTable With(EmbeddedQueue queue, QueueSubscriptions subscriptions)
    {
        var subscribers = new Dictionary<EmbeddedQueue, QueueSubscriptions>(_subscribers);
        _ = subscribers.Remove(queue);
        if (subscriptions.Count > 0)
        {
            subscribers.Add(queue, subscriptions);
        }

        return new SubscriptionTable(subscribers);
    }

    /// <summary>The subscriptions of a queue.</summary>
    public QueueSubscriptions Of(EmbeddedQueue queue) => _subscribers.GetValueOrDefault(queue, QueueSubscriptions.None);

    /// <summary>The names of the subscribers of a queue that need not exist.</summary>
    public IEnumerable<QueueName> SubscribersOf(QueueName source) => source.IsDeadLetter ? []
        : _byName[source.Value].Concat(_byPattern)
            .Distinct()
            .Where(queue => queue.Name != source && _subscribers[queue].Fits(source))
            .Select(static queue => queue.Name);

    /// <summary>The subscribers of a queue; null for none. A queue does not subscribe to itself, whatever its patterns say.</summary>
    public SubscriberSet? SubscribersOf(EmbeddedQueue source)
    {
        if (_subscribers.Count == 0 || source.Name.IsDeadLetter)
        {
            return null;
        }

        var found = new List<Subscriber>();
        foreach (var queue in _byName[source.Name.Value].Concat(_byPattern).Distinct())
        {
            if (queue != source && _subscribers[queue].Entries.Where(entry => entry.Fits(source.Name)).ToList() is { Count: > 0 } entries)
            {
                found.Add(new Subscriber(queue, entries));
            }
        }

        return found.Count > 0 ? new SubscriberSet(source, found) : null;
    }
}
