using PushQueue.Storage.Embedded.Records;

namespace PushQueue.Storage.Embedded;

/// <summary>The delayed messages of a queue, in the order in which they fall due. Guarded by the queue's lock.</summary>
internal sealed class DelayedMessages(QueueKeys keys)
{
    private readonly SortedSet<StoredMessage> _byTime = new(DeliveryOrder.Instance);

    public int Count => _byTime.Count;

    public StoredMessage? First => _byTime.Min;

    /// <summary>When the first message falls due; <see cref="long.MaxValue"/> without one.</summary>
    public long NextDueMs => _byTime.Count > 0 ? _byTime.Min!.AvailableAtMs : long.MaxValue;

    /// <summary>The message must stand in no other order of the queue.</summary>
    public void Add(StoredMessage message)
    {
        message.Place = MessagePlace.Delayed;
        _byTime.Add(message);
        keys.AddDelayed(message);
    }

    /// <summary>The caller gives the message its next place.</summary>
    public void Remove(StoredMessage message)
    {
        _byTime.Remove(message);
        keys.RemoveDelayed(message);
    }

    /// <summary>How many fall due up to that time.</summary>
    public long CountUntil(long availableAtMs) => _byTime.TakeWhile(message => message.AvailableAtMs <= availableAtMs).LongCount();

    /// <summary>In order, from a place on; all of them for null.</summary>
    public IEnumerable<StoredMessage> InOrder(StoredMessage? from = null) => _byTime.From(from);

    public void Clear() => _byTime.Clear();
}
