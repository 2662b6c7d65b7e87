namespace PushQueue.Storage.Embedded.Records;

/// <summary>
/// A key with live messages: how many are in which state, and the line of the ready ones. Nearly all join at the end of the line; the few
/// that come between others stand in a tree. Guarded by its queue's lock.
/// </summary>
internal sealed class MessageKey(string name)
{
    private KeyedMessage? _first;
    private KeyedMessage? _last;
    private SortedSet<KeyedMessage>? _between;

    public string Name { get; } = name;

    /// <summary>Messages in any state, those included whose put is on its way to the disk.</summary>
    public int Live { get; set; }

    /// <summary>Messages in the line.</summary>
    public int Ready { get; private set; }

    public int Delayed { get; set; }

    /// <summary>Those of the delayed messages that were given back with a delay.</summary>
    public int Returning { get; set; }

    public int Leased { get; set; }

    /// <summary>Its index among the open keys; -1 while the key is not open.</summary>
    public int OpenAt { get; set; } = -1;

    /// <summary>Where keys take turns: the lower one is served first.</summary>
    public long Turn { get; set; }

    /// <summary>Whether messages are ready and wait for others of the key.</summary>
    public bool IsBlocked { get; set; }

    /// <summary>The next message of the key.</summary>
    public KeyedMessage? First
    {
        get
        {
            if (_between is not { Count: > 0 })
            {
                return _first;
            }

            var between = _between.Min!;
            return _first is null || KeyOrder.Instance.Compare(between, _first) < 0 ? between : _first;
        }
    }

    public void Add(KeyedMessage message)
    {
        Ready++;
        if (_last is null)
        {
            (_first, _last) = (message, message);
        }
        else if (KeyOrder.Instance.Compare(message, _last) > 0)
        {
            (message.Previous, _last.Next) = (_last, message);
            _last = message;
        }
        else if (KeyOrder.Instance.Compare(message, _first) < 0)
        {
            (message.Next, _first!.Previous) = (_first, message);
            _first = message;
        }
        else
        {
            message.IsBetween = true;
            (_between ??= new SortedSet<KeyedMessage>(KeyOrder.Instance)).Add(message);
        }
    }

    public void Remove(KeyedMessage message)
    {
        Ready--;
        if (message.IsBetween)
        {
            message.IsBetween = false;
            _between!.Remove(message);
            return;
        }

        if (message.Previous is { } previous)
        {
            previous.Next = message.Next;
        }
        else
        {
            _first = message.Next;
        }

        if (message.Next is { } next)
        {
            next.Previous = message.Previous;
        }
        else
        {
            _last = message.Previous;
        }

        (message.Previous, message.Next) = (null, null);
    }
}
