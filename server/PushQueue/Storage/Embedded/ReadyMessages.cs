using PushQueue.Storage.Embedded.Records;

namespace PushQueue.Storage.Embedded;

/// <summary>
/// The ready messages of a queue: those without a key, those with one, and both together in the order of the queue. The next message is the
/// first one whose key is not waiting for others. Guarded by the queue's lock.
/// </summary>
internal sealed class ReadyMessages(QueueKeys keys)
{
    private readonly OrderedMessages _plain = new();
    private OrderedMessages? _keyed;

    public int Count => _plain.Count + (_keyed?.Count ?? 0);

    /// <summary>Bytes of the bodies.</summary>
    public long Bytes => _plain.Bytes + (_keyed?.Bytes ?? 0);

    public bool HasKeyed => _keyed is { Count: > 0 };

    /// <summary>The message must stand in no other order of the queue.</summary>
    public void Add(StoredMessage message)
    {
        if (keys.Keyed(message) is { } keyed)
        {
            (_keyed ??= new OrderedMessages()).Add(keyed);
            keys.AddReady(keyed);
            return;
        }

        if (_plain.Count == 0)
        {
            keys.JoinPlain();
        }

        _plain.Add(message);
    }

    /// <summary>The next message that can be given out; null where all wait for others of their keys.</summary>
    public StoredMessage? Peek()
    {
        var plain = _plain.Peek();
        if (_keyed is null || keys.Next() is not { } keyed)
        {
            return plain;
        }

        return plain is null || keys.GoesBefore(keyed, plain) ? keyed : plain;
    }

    /// <summary>Takes out the message that <see cref="Peek"/> shows.</summary>
    public void RemovePeeked(StoredMessage message)
    {
        if (keys.Keyed(message) is { } keyed)
        {
            _keyed!.Remove(keyed);
            keys.Pop(keyed);
            return;
        }

        _plain.RemovePeeked(message);
        keys.ServePlain();
    }

    /// <summary>The one that has been ready longest, whatever its priority, and whether its key waits or not.</summary>
    public StoredMessage? PeekOldest()
    {
        var plain = _plain.PeekOldest();
        if (_keyed?.PeekOldest() is not { } keyed)
        {
            return plain;
        }

        return plain is null || DeliveryOrder.Instance.Compare(keyed, plain) < 0 ? keyed : plain;
    }

    /// <summary>Takes out the message that <see cref="PeekOldest"/> shows.</summary>
    public StoredMessage? PopOldest()
    {
        var oldest = PeekOldest();
        if (oldest is not null && keys.Keyed(oldest) is null)
        {
            _plain.RemovePeeked(oldest);
        }
        else if (oldest is not null)
        {
            Remove(oldest);
        }

        return oldest;
    }

    /// <summary>
    /// Takes out any message. The caller sets its place to <see cref="MessagePlace.Gone"/>; the object may not come back, except one with a
    /// key.
    /// </summary>
    public void Remove(StoredMessage message)
    {
        if (keys.Keyed(message) is { } keyed)
        {
            _keyed!.Remove(keyed);
            keys.RemoveReady(keyed);
        }
        else
        {
            _plain.Remove(message);
        }
    }

    /// <summary>
    /// Takes out a message that a filter chose from anywhere. One from the middle is <see cref="MessagePlace.Gone"/>, as after
    /// <see cref="Remove"/>.
    /// </summary>
    public void RemoveChosen(StoredMessage message)
    {
        if (keys.Keyed(message) is { } keyed)
        {
            _keyed!.Remove(keyed);
            keys.Serve(keyed);
            return;
        }

        if (ReferenceEquals(_plain.Peek(), message))
        {
            _plain.RemovePeeked(message);
        }
        else
        {
            _plain.Remove(message);
        }

        keys.ServePlain();
    }

    /// <summary>How many have been available since that time or longer, whatever their priority.</summary>
    public int CountUntil(long availableAtMs) => _plain.CountUntil(availableAtMs) + (_keyed?.CountUntil(availableAtMs) ?? 0);

    public IEnumerable<StoredMessage> InOrder() => InOrder(from: null);

    /// <summary>
    /// In the order of the queue, whether their keys wait or not, from a place on, whether a message stands there or not; from the first
    /// for null. Finds it without walking there.
    /// </summary>
    public IEnumerable<StoredMessage> InOrder(StoredMessage? from) =>
        HasKeyed ? Merge(_plain.InOrder(from), _keyed!.InOrder(from), QueueOrder.Instance) : _plain.InOrder(from);

    /// <summary>The last in the order of the queue first.</summary>
    public IEnumerable<StoredMessage> InReverse() =>
        HasKeyed ? Merge(_plain.InReverse(), _keyed!.InReverse(), QueueOrder.Reverse) : _plain.InReverse();

    /// <summary>The earliest first, whatever their priority, and whether their keys wait or not.</summary>
    public IEnumerable<StoredMessage> OldestFirst() =>
        _keyed is null ? _plain.OldestFirst() : Merge(_plain.OldestFirst(), _keyed.OldestFirst(), DeliveryOrder.Instance);

    /// <summary>Two ordered sequences as one.</summary>
    public static IEnumerable<StoredMessage> Merge(
        IEnumerable<StoredMessage> first, IEnumerable<StoredMessage> second, IComparer<StoredMessage> order)
    {
        using var left = first.GetEnumerator();
        using var right = second.GetEnumerator();
        var (hasLeft, hasRight) = (left.MoveNext(), right.MoveNext());
        while (hasLeft || hasRight)
        {
            if (hasLeft && (!hasRight || order.Compare(left.Current, right.Current) < 0))
            {
                yield return left.Current;
                hasLeft = left.MoveNext();
            }
            else
            {
                yield return right.Current;
                hasRight = right.MoveNext();
            }
        }
    }
}
