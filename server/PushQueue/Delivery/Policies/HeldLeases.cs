using System.Collections.Concurrent;
using PushQueue.Queues;

namespace PushQueue.Delivery.Policies;

/// <summary>
/// The messages of one queue that manual consumers of this node hold: for their credit, to give them back when they go, and to hand them on
/// to who takes up a consumer's place.
/// </summary>
internal sealed class HeldLeases
{
    private readonly ConcurrentDictionary<MessageId, Held> _held = new();

    /// <summary>Leases that ended before they were noted here: between the store's answer and <see cref="Add"/>.</summary>
    private readonly ConcurrentDictionary<Receipt, byte> _endedEarly = new();

    private long _order;
    private int _early;
    private volatile bool _leasing;

    public int Count => _held.Count;

    /// <summary>Leases are about to be taken; from here on ends of unknown leases are remembered until the round is over.</summary>
    public void BeginRound() => _leasing = true;

    public void EndRound()
    {
        _leasing = false;
        if (Volatile.Read(ref _early) > 0)
        {
            _endedEarly.Clear();
            Volatile.Write(ref _early, 0);
        }
    }

    public void Add(Consumer consumer, LeaseKey[] keys)
    {
        foreach (var key in keys)
        {
            // An entry that is still here belongs to a lease whose end was not told: its holder gets the credit back.
            if (_held.TryRemove(key.Id, out var stale))
            {
                stale.Consumer.OnSettled(1, HeldEnd.Cancelled);
            }

            var held = new Held(consumer, key.Receipt, Interlocked.Increment(ref _order));
            _held[key.Id] = held;
            if (Volatile.Read(ref _early) > 0 && _endedEarly.TryRemove(key.Receipt, out _))
            {
                _ = Remove(key.Id, held, HeldEnd.Failed);
            }
        }
    }

    /// <summary>The lease ended: acked, released, timed out or cancelled. Gives its holder where it was one of this node's consumers.</summary>
    public Consumer? Settle(MessageId id, Receipt? receipt, HeldEnd end)
    {
        if (_held.TryGetValue(id, out var held) && (receipt is not { } wanted || wanted == held.Receipt))
        {
            return Remove(id, held, end);
        }

        if (!_leasing || receipt is not { } early)
        {
            return null;
        }

        _ = Interlocked.Increment(ref _early);
        _endedEarly[early] = 0;
        Interlocked.MemoryBarrier();

        // It may have been noted down meanwhile.
        return _held.TryGetValue(id, out held) && held.Receipt == early && _endedEarly.TryRemove(early, out _) ? Remove(id, held, end) : null;
    }

    /// <summary>All that a consumer holds, in the order in which it got them; forgotten here.</summary>
    public LeaseKey[] TakeAll(Consumer consumer)
    {
        var taken = new List<(long Order, LeaseKey Key)>();
        foreach (var (id, held) in _held)
        {
            if (ReferenceEquals(held.Consumer, consumer) && _held.TryRemove(KeyValuePair.Create(id, held)))
            {
                taken.Add((held.Order, new LeaseKey(id, held.Receipt)));
            }
        }

        return [.. taken.OrderBy(entry => entry.Order).Select(entry => entry.Key)];
    }

    /// <summary>Hands all that a consumer holds on to another, so that no end of a lease goes unnoticed. In the order in which it got them.</summary>
    public LeaseKey[] Move(Consumer from, Consumer to, HeldLeases target)
    {
        var moved = new List<(long Order, LeaseKey Key)>();
        if (target != this)
        {
            // The queue was deleted and made again; nothing that was held is left.
            return [];
        }

        foreach (var (id, held) in _held)
        {
            if (ReferenceEquals(held.Consumer, from) && _held.TryUpdate(id, held with { Consumer = to }, held))
            {
                to.OnGiven(1, manual: true);
                moved.Add((held.Order, new LeaseKey(id, held.Receipt)));
            }
        }

        return [.. moved.OrderBy(entry => entry.Order).Select(entry => entry.Key)];
    }

    public bool Holds(Consumer consumer, LeaseKey key) =>
        _held.TryGetValue(key.Id, out var held) && held.Receipt == key.Receipt && ReferenceEquals(held.Consumer, consumer);

    /// <summary>Some of what a consumer holds, as far as it still does; forgotten here.</summary>
    public LeaseKey[] Take(Consumer consumer, LeaseKey[] keys) =>
        Array.FindAll(keys, key =>
            _held.TryGetValue(key.Id, out var held)
            && held.Receipt == key.Receipt
            && ReferenceEquals(held.Consumer, consumer)
            && _held.TryRemove(KeyValuePair.Create(key.Id, held)));

    /// <summary>Whether a consumer holds anything.</summary>
    public bool HasAny(Consumer consumer) => _held.Any(pair => ReferenceEquals(pair.Value.Consumer, consumer));

    private Consumer? Remove(MessageId id, Held held, HeldEnd end)
    {
        if (!_held.TryRemove(KeyValuePair.Create(id, held)))
        {
            return null;
        }

        held.Consumer.OnSettled(1, end);
        return held.Consumer;
    }

    private sealed record Held(Consumer Consumer, Receipt Receipt, long Order);
}

/// <summary>How a message that a manual consumer held came to its end.</summary>
internal enum HeldEnd
{
    Acked,

    /// <summary>Released, or its time ran out.</summary>
    Failed,

    /// <summary>Cancelled or rescheduled: neither is the consumer's doing.</summary>
    Cancelled,
}
