using System.Collections.Concurrent;
using PushQueue.Queues;

namespace PushQueue.Delivery;

/// <summary>
/// The messages of one queue that manual consumers of this node hold: for their credit, to give them back when they go, and to hand them on
/// to who takes up a consumer's place.
/// </summary>
internal sealed class HeldLeases
{
    private readonly ConcurrentDictionary<MessageId, HeldLease> _held = new();

    /// <summary>Leases that ended before they were noted here, and how: between the store's answer and <see cref="Add"/>.</summary>
    private readonly ConcurrentDictionary<Receipt, HeldEnd> _endedEarly = new();

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

    public HeldLease[] Add(Consumer consumer, LeaseKey[] keys)
    {
        var added = new HeldLease[keys.Length];
        for (var i = 0; i < keys.Length; i++)
        {
            var key = keys[i];

            // An entry that is still here belongs to a lease whose end was not notified: its holder gets the credit back.
            if (_held.TryRemove(key.Id, out var stale))
            {
                stale.Consumer.Holds.Remove(stale);
                stale.Consumer.OnSettled(1, HeldEnd.Cancelled);
            }

            // Into the consumer's own set first: nothing stands here that is not found there.
            var held = new HeldLease(consumer, key, Interlocked.Increment(ref _order));
            added[i] = held;
            consumer.Holds.Add(held);
            _held[key.Id] = held;
            if (Volatile.Read(ref _early) > 0 && _endedEarly.TryRemove(key.Receipt, out var end))
            {
                _ = Remove(held, end);
            }
        }

        return added;
    }

    /// <summary>The lease ended: acked, released, timed out or cancelled.</summary>
    /// <param name="id">Of the message.</param>
    /// <param name="receipt">Of the lease.</param>
    /// <param name="end">How it ended.</param>
    /// <param name="tell">Called with the holder, where it is one of this node's, before its credit lets the next message out.</param>
    public void Settle(MessageId id, Receipt receipt, HeldEnd end, Action<Consumer>? tell = null)
    {
        // Again where it was handed on to another consumer at that very moment.
        HeldLease? held;
        while (_held.TryGetValue(id, out held) && held.Key.Receipt == receipt)
        {
            if (Remove(held, end, tell))
            {
                return;
            }
        }

        if (!_leasing)
        {
            return;
        }

        _ = Interlocked.Increment(ref _early);
        _endedEarly[receipt] = end;
        Interlocked.MemoryBarrier();

        // It may have been noted down meanwhile.
        if (_held.TryGetValue(id, out held) && held.Key.Receipt == receipt && _endedEarly.TryRemove(receipt, out _))
        {
            _ = Remove(held, end, tell);
        }
    }

    /// <summary>All that is held, at one moment.</summary>
    public LeaseKey[] Keys() => [.. _held.Select(static pair => pair.Value.Key)];

    /// <summary>All that a consumer holds, in the order in which it got them; forgotten here.</summary>
    public HeldLease[] TakeAll(Consumer consumer) => Array.FindAll(consumer.Holds.InOrder(), TryRemove);

    /// <summary>
    /// Moves all that a consumer holds to another, in the order in which it got them, so that no end of a lease is missed.
    /// </summary>
    public HeldLease[] Move(Consumer from, Consumer to, HeldLeases target)
    {
        if (target != this)
        {
            // The queue was deleted and made again; nothing that was held is left.
            return [];
        }

        var moved = new List<HeldLease>();
        to.OnAcked(from.LastAcked);
        foreach (var held in from.Holds.InOrder())
        {
            var handedOn = new HeldLease(to, held.Key, held.Order) { IsWritten = held.IsWritten };
            to.Holds.Add(handedOn);
            if (_held.TryUpdate(held.Key.Id, handedOn, held))
            {
                from.Holds.Remove(held);
                to.OnPushed(1, manual: true);
                moved.Add(handedOn);
            }
            else
            {
                to.Holds.Remove(handedOn);
            }
        }

        return [.. moved];
    }

    public bool Holds(Consumer consumer, LeaseKey key) =>
        _held.TryGetValue(key.Id, out var held) && held.Key.Receipt == key.Receipt && ReferenceEquals(held.Consumer, consumer);

    /// <summary>Some of what a consumer holds, as far as it still does; forgotten here.</summary>
    public LeaseKey[] Take(Consumer consumer, LeaseKey[] keys) =>
        Array.FindAll(keys, key =>
            _held.TryGetValue(key.Id, out var held)
            && held.Key.Receipt == key.Receipt
            && ReferenceEquals(held.Consumer, consumer)
            && TryRemove(held));

    /// <summary>Whether a consumer holds anything.</summary>
    public static bool HasAny(Consumer consumer) => !consumer.Holds.IsEmpty;

    private bool Remove(HeldLease held, HeldEnd end, Action<Consumer>? tell = null)
    {
        if (!TryRemove(held))
        {
            return false;
        }

        tell?.Invoke(held.Consumer);
        if (end == HeldEnd.Acked)
        {
            held.Consumer.OnAcked(held.Order);
        }

        held.Consumer.OnSettled(1, end);
        return true;
    }

    private bool TryRemove(HeldLease held)
    {
        if (!_held.TryRemove(KeyValuePair.Create(held.Key.Id, held)))
        {
            return false;
        }

        held.Consumer.Holds.Remove(held);
        return true;
    }
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
