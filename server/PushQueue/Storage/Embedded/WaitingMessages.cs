using PushQueue.Queues;
using PushQueue.Storage.Embedded.Records;

namespace PushQueue.Storage.Embedded;

/// <summary>
/// The messages of a queue that wait to be given out, ready or delayed, and the one way to select from them: the next ready ones in the
/// queue's order, or those that are due by a time of the caller's, the earliest first, ready or delayed. Guarded by the queue's lock.
/// </summary>
internal sealed class WaitingMessages(QueueKeys keys)
{
    private readonly QueueKeys _keys = keys;

    public ReadyMessages Ready { get; private set; } = new(keys);

    public DelayedMessages Delayed { get; } = new(keys);

    /// <summary>
    /// Enumerates the selected messages; each has left its order when it is returned. One that a filter chose from the middle is
    /// <see cref="MessagePlace.Gone"/>, and only a copy of it may come back.
    /// </summary>
    /// <param name="count">At most this many.</param>
    /// <param name="bytesMax">Bytes of bodies at most; the first message goes whatever its size.</param>
    /// <param name="dueByMs">The caller's time; null for the queue's order.</param>
    /// <param name="filter">Which of the ready messages; null for all.</param>
    public Selected Select(int count, int bytesMax, long? dueByMs, MessageFilter? filter) => new(this, count, bytesMax, dueByMs, filter);

    /// <summary>Whether the messages of a selection have more bytes of bodies than given.</summary>
    public bool Exceed(int count, int bytes, long? dueByMs, MessageFilter? filter)
    {
        if (filter is not null)
        {
            return Ready.Bytes > bytes && BytesOf(Matching(filter).Take(count)) > bytes;
        }

        // hot path: a comparison where all that is ready is small, two for one message.
        if ((dueByMs is null && Ready.Bytes <= bytes) || Peek(dueByMs) is not { } first)
        {
            return false;
        }

        var sum = (long)first.BodyLength;
        if (sum > bytes || count == 1)
        {
            return sum > bytes;
        }

        if (Ready.HasKeyed)
        {
            return ExceedByKeys(count, bytes, dueByMs);
        }

        foreach (var message in Ready.InOrder().Take(count))
        {
            sum += message == first ? 0 : message.BodyLength;
            if (sum > bytes)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>How many messages are due by the caller's time.</summary>
    public long CountDue(long dueByMs) => Ready.CountUntil(dueByMs) + Delayed.CountUntil(dueByMs);

    public void Clear()
    {
        Ready = new ReadyMessages(_keys);
        Delayed.Clear();
    }

    /// <summary>
    /// The messages among which a filter selects. A selection may find fewer: a message of an open key may have to wait for an earlier
    /// message of that key, which does not match.
    /// </summary>
    private IEnumerable<StoredMessage> Matching(MessageFilter filter) => Ready.InOrder()
        .Take(MessageFilter.SearchMax)
        .Where(message =>
            filter.Matches(message.Headers) && (_keys.Keyed(message) is not { MessageKey.First: { } first } || _keys.MayGo(first)));

    private static long BytesOf(IEnumerable<StoredMessage> messages) => messages.Sum(static message => (long)message.BodyLength);

    private StoredMessage? Peek(long? dueByMs, HashSet<MessageKey>? chosen = null)
    {
        if (dueByMs is not { } dueBy)
        {
            return Ready.Peek();
        }

        if (_keys.Count > 0)
        {
            return FirstDue(dueBy, chosen);
        }

        var ready = Ready.PeekOldest();
        var delayed = Delayed.First;
        var first = delayed is null || (ready is not null && DeliveryOrder.Instance.Compare(ready, delayed) < 0) ? ready : delayed;
        return first?.AvailableAtMs <= dueBy ? first : null;
    }

    /// <summary>Takes out the message that <see cref="Peek"/> shows.</summary>
    private void Pop(StoredMessage message, long? dueByMs)
    {
        if (message.Place == MessagePlace.Delayed)
        {
            Delayed.Remove(message);
        }
        else if (dueByMs is null || _keys.Keyed(message) is null)
        {
            Ready.RemovePeeked(message);
        }
        else
        {
            Ready.Remove(message);
        }
    }

    /// <summary>
    /// The first message that is due by the caller's time and whose key neither waits nor was chosen already. Passes over the others:
    /// nobody but the scheduler dialect chooses by a time of its own, and its messages have no keys.
    /// </summary>
    private StoredMessage? FirstDue(long dueByMs, HashSet<MessageKey>? chosen) =>
        ReadyMessages.Merge(Ready.OldestFirst(), Delayed.InOrder(), DeliveryOrder.Instance)
            .TakeWhile(message => message.AvailableAtMs <= dueByMs)
            .FirstOrDefault(
                message => _keys.Keyed(message) is not { } keyed || (_keys.MayGo(keyed) && chosen?.Contains(keyed.MessageKey) != true));

    private HashSet<MessageKey>? NewChoice() => _keys.Count > 0 ? [] : null;

    /// <summary>Which messages are next depends on those before them: so they are selected, and put back.</summary>
    private bool ExceedByKeys(int count, int bytes, long? dueByMs)
    {
        var sum = 0L;
        var chosen = dueByMs is null ? null : NewChoice();
        var selected = new List<(StoredMessage Message, bool Delayed)>();
        var turns = _keys.NoteTurns();
        for (var i = 0; i < count && sum <= bytes && Peek(dueByMs, chosen) is { } message; i++)
        {
            selected.Add((message, message.Place == MessagePlace.Delayed));
            if (message is KeyedMessage keyed)
            {
                chosen?.Add(keyed.MessageKey);
                turns.Note(keyed.MessageKey);
            }

            Pop(message, dueByMs);
            sum += message.BodyLength;
        }

        for (var i = selected.Count - 1; i >= 0; i--)
        {
            if (selected[i].Delayed)
            {
                Delayed.Add(selected[i].Message);
            }
            else
            {
                Ready.Add(selected[i].Message);
            }
        }

        _keys.Restore(turns);
        return sum > bytes;
    }

    /// <summary>A selection while it is enumerated.</summary>
    public ref struct Selected(WaitingMessages messages, int count, int bytesMax, long? dueByMs, MessageFilter? filter)
    {
        private readonly HashSet<MessageKey>? _chosen = dueByMs is null ? null : messages.NewChoice();
        private int _selected;
        private long _bytes;
        private int _looks;
        private StoredMessage? _lastLook;

        public StoredMessage Current { get; private set; } = null!;

        public readonly Selected GetEnumerator() => this;

        public bool MoveNext() => filter is null ? MoveToNext() : MoveToMatch();

        private bool MoveToMatch()
        {
            if (_selected == count)
            {
                return false;
            }

            if (FindMatch() is not { } message)
            {
                messages._keys.AwaitMatch();
                return false;
            }

            if (_selected > 0 && _bytes + message.BodyLength > bytesMax)
            {
                return false;
            }

            messages.Ready.RemoveChosen(message);
            _selected++;
            _bytes += message.BodyLength;
            Current = message;
            return true;
        }

        /// <summary>
        /// Continues after the last message that it looked at: those before it do not match, or wait for others of their keys. Only the
        /// message that was chosen last may let one of them go.
        /// </summary>
        private StoredMessage? FindMatch()
        {
            if (_selected > 0
                && messages._keys.Keyed(Current) is { MessageKey.First: { } next }
                && QueueOrder.Instance.Compare(next, _lastLook) < 0)
            {
                _lastLook = next;
            }

            foreach (var message in messages.Ready.InOrder(_lastLook))
            {
                if (_looks == MessageFilter.SearchMax)
                {
                    return null;
                }

                _looks++;
                _lastLook = message;
                if (filter!.Matches(message.Headers) && (messages._keys.Keyed(message) is not { } keyed || messages._keys.MayGo(keyed)))
                {
                    return message;
                }
            }

            return null;
        }

        private bool MoveToNext()
        {
            if (_selected == count
                || messages.Peek(dueByMs, _chosen) is not { } message
                || (_selected > 0 && _bytes + message.BodyLength > bytesMax))
            {
                return false;
            }

            messages.Pop(message, dueByMs);
            if (message is KeyedMessage keyed)
            {
                _chosen?.Add(keyed.MessageKey);
            }

            _selected++;
            _bytes += message.BodyLength;
            Current = message;
            return true;
        }
    }
}
