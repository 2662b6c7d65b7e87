using PushQueue.Storage.Embedded.Records;

namespace PushQueue.Storage.Embedded;

/// <summary>
/// The keys of a queue that have live messages, and which of them is served next. A key is open while messages of it are ready and fewer of
/// it are leased, or wait to be tried again, than <see cref="Queues.QueueSettings.KeyInFlight"/>. The open keys stand in a heap, by their
/// first messages or by their turns. A queue without keys costs one comparison. Guarded by the queue's lock.
/// </summary>
internal sealed class QueueKeys(QueueState state)
{
    // Four children a node: fewer levels, and the children of a node stand in one cache line.
    private const int Children = 4;

    /// <summary>Dead letters rest until somebody decides about them; nothing depends on their order.</summary>
    private readonly bool _counts = !state.Name.IsDeadLetter;

    private Dictionary<string, MessageKey>? _byName;
    private MessageKey[] _open = [];
    private int _openCount;
    private MessageKey? _popped;
    private long _turns;
    private long _plainTurn;
    private int _blocked;
    private bool _awaitsMatch;

    /// <summary>Keys with live messages.</summary>
    public int Count => _byName?.Count ?? 0;

    /// <summary>Keys whose ready messages all wait for others of the key.</summary>
    public int Blocked
    {
        get
        {
            Settle();
            return _blocked;
        }
    }

    public IReadOnlyCollection<MessageKey> All => _byName is null ? [] : _byName.Values;

    private bool IsFair => state.Settings.Fair;

    /// <summary>The message, if the order of its key counts in this queue.</summary>
    public KeyedMessage? Keyed(StoredMessage message) => message is KeyedMessage keyed && _counts ? keyed : null;

    /// <summary>The key of that name, for a message that becomes live with it.</summary>
    public MessageKey Of(string name) => _byName?.GetValueOrDefault(name) ?? new MessageKey(name);

    /// <summary>A message becomes live. One of an earlier run gets the key that it shares with others.</summary>
    public void Enter(StoredMessage message)
    {
        if (Keyed(message) is { } keyed)
        {
            _byName ??= new Dictionary<string, MessageKey>(StringComparer.Ordinal);
            if (keyed.MessageKey.Live == 0 && !_byName.TryAdd(keyed.Key, keyed.MessageKey))
            {
                keyed.MessageKey = _byName[keyed.Key];
            }

            keyed.MessageKey.Live++;
        }
    }

    /// <summary>A message, already out of its order, is gone.</summary>
    public void Leave(StoredMessage message)
    {
        if (Keyed(message) is { } keyed && --keyed.MessageKey.Live == 0)
        {
            _byName!.Remove(keyed.Key);
        }
    }

    public void AddReady(KeyedMessage message)
    {
        message.MessageKey.Add(message);
        Refresh(message.MessageKey);
    }

    public void RemoveReady(KeyedMessage message)
    {
        message.MessageKey.Remove(message);
        Refresh(message.MessageKey);
        NoteNext(message.MessageKey);
    }

    public void AddDelayed(StoredMessage message)
    {
        if (Keyed(message) is { } keyed)
        {
            keyed.MessageKey.Delayed++;
            keyed.MessageKey.Returning += keyed.KeepsPlace ? 1 : 0;
            Refresh(keyed.MessageKey);
        }
    }

    public void RemoveDelayed(StoredMessage message)
    {
        if (Keyed(message) is { } keyed)
        {
            keyed.MessageKey.Delayed--;
            keyed.MessageKey.Returning -= keyed.KeepsPlace ? 1 : 0;
            Reopen(keyed.MessageKey);
        }
    }

    public void AddLeased(StoredMessage message)
    {
        if (Keyed(message) is { } keyed)
        {
            keyed.MessageKey.Leased++;
            Refresh(keyed.MessageKey);
        }
    }

    public void RemoveLeased(StoredMessage message)
    {
        if (Keyed(message) is { } keyed)
        {
            keyed.MessageKey.Leased--;
            Reopen(keyed.MessageKey);
        }
    }

    /// <summary>The next message with a key that can be given out.</summary>
    public KeyedMessage? Next()
    {
        Settle();
        return _openCount > 0 ? _open[0].First : null;
    }

    /// <summary>Takes out the message that <see cref="Next"/> shows.</summary>
    public void Pop(KeyedMessage message)
    {
        // The caller may lease the message, which closes the key: so it is not opened again before that.
        var key = message.MessageKey;
        key.Remove(message);
        Close(key);
        _popped = key;
        NoteNext(key);
    }

    /// <summary>Takes out a message that may be given out, whether <see cref="Next"/> shows it or another one.</summary>
    public void Serve(KeyedMessage message)
    {
        Settle();
        Pop(message);
    }

    /// <summary>
    /// A search with a filter has found fewer messages than wanted. The next time that another message becomes the first of a key,
    /// consumers are notified, because it may match. They are notified of puts in any case.
    /// </summary>
    public void AwaitMatch() => _awaitsMatch = Count > 0;

    /// <summary>Whether the next message with a key is served before the next one without, which counts as one key.</summary>
    public bool GoesBefore(KeyedMessage keyed, StoredMessage plain)
    {
        if (!IsFair || keyed.Priority != plain.Priority)
        {
            return QueueOrder.Instance.Compare(keyed, plain) < 0;
        }

        return keyed.MessageKey.Turn < _plainTurn;
    }

    /// <summary>The first message without a key joins the keys that take turns.</summary>
    public void JoinPlain() => ServePlain();

    /// <summary>A message without a key was given out.</summary>
    public void ServePlain()
    {
        if (IsFair)
        {
            Settle();
            _plainTurn = ++_turns;
        }
    }

    /// <summary>Begins to note whose turn it is, for a selection that is put back.</summary>
    public KeyTurns NoteTurns() => new(_plainTurn);

    /// <summary>The messages of a selection are back in their places: the turns are those before it.</summary>
    public void Restore(KeyTurns turns)
    {
        Settle();
        _plainTurn = turns.Plain;
        foreach (var (key, turn) in turns.ByKey)
        {
            key.Turn = turn;
            if (key.OpenAt >= 0)
            {
                Sink(Rise(key.OpenAt, key), key);
            }
        }
    }

    /// <summary>Whether a message that a caller chooses by its own time may be given out.</summary>
    public bool MayGo(KeyedMessage message)
    {
        var key = message.MessageKey;
        if (key.First is { } first && KeyOrder.Instance.Compare(first, message) < 0)
        {
            return false;
        }

        var isReturning = message is { Place: MessagePlace.Delayed, KeepsPlace: true };
        return state.Settings.KeyInFlight == 0 || InFlight(key) - (isReturning ? 1 : 0) < state.Settings.KeyInFlight;
    }

    /// <summary>The settings have changed: finds out again which keys are open, and in which order.</summary>
    public void Reorder()
    {
        _popped = null;
        _openCount = 0;
        _blocked = 0;
        foreach (var key in All)
        {
            (key.OpenAt, key.IsBlocked) = (-1, false);
        }

        foreach (var key in All.Where(static key => key.Ready > 0).OrderBy(static key => key.First!, QueueOrder.Instance))
        {
            Refresh(key);
        }
    }

    public void Clear()
    {
        _byName = null;
        _open = [];
        _openCount = 0;
        _popped = null;
        _blocked = 0;
    }

    private static int InFlight(MessageKey key) => key.Leased + key.Returning;

    private void NoteNext(MessageKey key)
    {
        if (_awaitsMatch && key.Ready > 0)
        {
            _awaitsMatch = false;
            state.Events.Ready();
        }
    }

    private void Settle()
    {
        if (_popped is { } key)
        {
            _popped = null;
            Refresh(key);
        }
    }

    private void Reopen(MessageKey key)
    {
        if (Refresh(key))
        {
            state.Events.Ready();
        }
    }

    /// <summary>Finds out again whether the key is open, and where it stands; whether it has just been opened.</summary>
    private bool Refresh(MessageKey key)
    {
        if (key == _popped)
        {
            _popped = null;
        }

        var limit = state.Settings.KeyInFlight;
        var isOpen = key.Ready > 0 && (limit == 0 || InFlight(key) < limit);
        var isBlocked = key.Ready > 0 && !isOpen;
        if (isBlocked != key.IsBlocked)
        {
            key.IsBlocked = isBlocked;
            _blocked += isBlocked ? 1 : -1;
        }

        if (!isOpen)
        {
            Close(key);
            return false;
        }

        if (key.OpenAt >= 0)
        {
            // Its first message may be another one now.
            Sink(Rise(key.OpenAt, key), key);
            return false;
        }

        key.Turn = ++_turns;
        Open(key);
        return true;
    }

    private void Open(MessageKey key)
    {
        if (_openCount == _open.Length)
        {
            Array.Resize(ref _open, Math.Max(8, _open.Length * 2));
        }

        _openCount++;
        Rise(_openCount - 1, key);
    }

    private void Close(MessageKey key)
    {
        if (key.OpenAt < 0)
        {
            return;
        }

        var at = key.OpenAt;
        key.OpenAt = -1;
        var last = _open[--_openCount];
        _open[_openCount] = null!;
        if (last != key)
        {
            Sink(Rise(at, last), last);
        }
    }

    private int Rise(int at, MessageKey key)
    {
        while (at > 0)
        {
            var parent = (at - 1) / Children;
            if (!IsBefore(key, _open[parent]))
            {
                break;
            }

            Set(at, _open[parent]);
            at = parent;
        }

        Set(at, key);
        return at;
    }

    private void Sink(int at, MessageKey key)
    {
        while (true)
        {
            var first = (at * Children) + 1;
            if (first >= _openCount)
            {
                break;
            }

            var least = first;
            for (var child = first + 1; child < Math.Min(first + Children, _openCount); child++)
            {
                least = IsBefore(_open[child], _open[least]) ? child : least;
            }

            if (!IsBefore(_open[least], key))
            {
                break;
            }

            Set(at, _open[least]);
            at = least;
        }

        Set(at, key);
    }

    private void Set(int at, MessageKey key)
    {
        _open[at] = key;
        key.OpenAt = at;
    }

    private bool IsBefore(MessageKey x, MessageKey y)
    {
        var (first, second) = (x.First!, y.First!);
        return IsFair && first.Priority == second.Priority ? x.Turn < y.Turn : QueueOrder.Instance.Compare(first, second) < 0;
    }
}
