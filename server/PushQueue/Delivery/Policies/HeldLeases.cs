using System.Collections.Concurrent;
using PushQueue.Queues;

namespace PushQueue.Delivery.Policies;

/// <summary>The messages of one queue that manual consumers of this node hold: for their credit, and to give them back when they go.</summary>
internal sealed class HeldLeases
{
    private readonly ConcurrentDictionary<MessageId, Held> _held = new();

    public int Count => _held.Count;

    public void Add(Consumer consumer, LeaseKey[] keys)
    {
        foreach (var key in keys)
        {
            // An entry that is still here belongs to a lease that ended unnoticed (it timed out): its holder gets the credit back.
            if (_held.TryRemove(key.Id, out var stale))
            {
                stale.Consumer.OnSettled(1, delivered: false);
            }

            _held[key.Id] = new Held(consumer, key.Receipt);
        }
    }

    /// <summary>The lease ended: acked, released, timed out or cancelled. Gives its holder where it was one of this node's consumers.</summary>
    public Consumer? Settle(MessageId id, Receipt? receipt, bool delivered)
    {
        if (!_held.TryGetValue(id, out var held) || (receipt is { } wanted && wanted != held.Receipt))
        {
            return null;
        }

        if (!_held.TryRemove(KeyValuePair.Create(id, held)))
        {
            return null;
        }

        held.Consumer.OnSettled(1, delivered);
        return held.Consumer;
    }

    /// <summary>All that a consumer holds, which is forgotten here.</summary>
    public LeaseKey[] TakeAll(Consumer consumer)
    {
        var keys = new List<LeaseKey>();
        foreach (var (id, held) in _held)
        {
            if (ReferenceEquals(held.Consumer, consumer) && _held.TryRemove(KeyValuePair.Create(id, held)))
            {
                keys.Add(new LeaseKey(id, held.Receipt));
            }
        }

        return [.. keys];
    }

    private sealed record Held(Consumer Consumer, Receipt Receipt);
}
