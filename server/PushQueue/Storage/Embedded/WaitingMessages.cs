using PushQueue.Queues;
using PushQueue.Storage.Embedded.Records;

namespace PushQueue.Storage.Embedded;

/// <summary>
/// The messages of a queue that wait to be given out, ready or delayed, and the one way to select from them: the next ready ones in the
/// queue's order, or those that are due by a time of the caller's, the earliest first, ready or delayed. Guarded by the queue's lock.
/// </summary>
internal sealed class WaitingMessages
{
    public ReadyMessages Ready { get; private set; } = new();

    public DelayedMessages Delayed { get; } = new();

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
        Ready = new ReadyMessages();
        Delayed.Clear();
    }

    private IEnumerable<StoredMessage> Matching(MessageFilter filter) =>
        Ready.InOrder().Take(MessageFilter.SearchMax).Where(message => filter.Matches(message.Headers));

    private static long BytesOf(IEnumerable<StoredMessage> messages) => messages.Sum(static message => (long)message.BodyLength);

    private StoredMessage? Peek(long? dueByMs)
    {
        if (dueByMs is not { } dueBy)
        {
            return Ready.Peek();
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
        else if (dueByMs is null)
        {
            Ready.Pop();
        }
        else
        {
            Ready.PopOldest();
        }
    }

    /// <summary>A selection while it is enumerated.</summary>
    public ref struct Selected(WaitingMessages messages, int count, int bytesMax, long? dueByMs, MessageFilter? filter)
    {
        private int _selected;
        private long _bytes;
        private int _looks;
        private StoredMessage? _lastLook;

        public StoredMessage Current { get; private set; } = null!;

        public readonly Selected GetEnumerator() => this;

        public bool MoveNext() => filter is null ? MoveToNext() : MoveToMatch();

        private bool MoveToMatch()
        {
            if (_selected == count || FindMatch() is not { } message || (_selected > 0 && _bytes + message.BodyLength > bytesMax))
            {
                return false;
            }

            if (ReferenceEquals(messages.Ready.Peek(), message))
            {
                messages.Pop(message, dueByMs: null);
            }
            else
            {
                messages.Ready.Remove(message);
            }

            _selected++;
            _bytes += message.BodyLength;
            Current = message;
            return true;
        }

        /// <summary>Goes on behind the last message that it looked at: those before it do not match.</summary>
        private StoredMessage? FindMatch()
        {
            foreach (var message in messages.Ready.InOrder(_lastLook))
            {
                if (_looks == MessageFilter.SearchMax)
                {
                    return null;
                }

                _looks++;
                _lastLook = message;
                if (filter!.Matches(message.Headers))
                {
                    return message;
                }
            }

            return null;
        }

        private bool MoveToNext()
        {
            if (_selected == count
                || messages.Peek(dueByMs) is not { } message
                || (_selected > 0 && _bytes + message.BodyLength > bytesMax))
            {
                return false;
            }

            messages.Pop(message, dueByMs);
            _selected++;
            _bytes += message.BodyLength;
            Current = message;
            return true;
        }
    }
}
