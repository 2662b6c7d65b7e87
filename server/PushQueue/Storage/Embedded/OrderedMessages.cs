using PushQueue.Storage.Embedded.Records;

namespace PushQueue.Storage.Embedded;

/// <summary>
/// Ready messages in the order of the queue: priority, time available, arrival. Nearly all arrive in that order and stand in a ring; the
/// few that come between (due delayed ones, returned ones) stand in a separate tree. A message that is cancelled in the middle of the ring
/// stays there as <see cref="MessagePlace.Gone"/> until it reaches the front or the ring is mostly such. A message with a key, which may
/// leave from anywhere and come back, leaves an empty place.
/// </summary>
internal sealed class OrderedMessages
{
    public const int Priorities = 10;
    private const int CompactAbove = 1024;

    private readonly Level?[] _levels = new Level?[Priorities];

    public int Count { get; private set; }

    /// <summary>Bytes of the bodies.</summary>
    public long Bytes { get; private set; }

    /// <summary>The message must stand in no other order of the queue.</summary>
    public void Add(StoredMessage message)
    {
        message.Place = MessagePlace.Ready;
        var level = _levels[message.Priority] ??= new Level();
        Count++;
        Bytes += message.BodyLength;
        var ring = level.Ring;
        var keyed = message as KeyedMessage;
        if (ring.Count == 0 || DeliveryOrder.Instance.Compare(message, ring.Last) > 0)
        {
            ring.AddLast(message);
            keyed?.EnterRing(ring.FirstNumber + ring.Count - 1);
        }
        else if (DeliveryOrder.Instance.Compare(message, ring.First) < 0)
        {
            ring.AddFirst(message);
            keyed?.EnterRing(ring.FirstNumber);
        }
        else
        {
            level.Between.Add(message);
        }
    }

    public StoredMessage? Peek()
    {
        for (var priority = Priorities - 1; priority >= 0; priority--)
        {
            if (_levels[priority]?.Peek() is { } message)
            {
                return message;
            }
        }

        return null;
    }

    /// <summary>The one that has been ready longest, whatever its priority.</summary>
    public StoredMessage? PeekOldest()
    {
        StoredMessage? oldest = null;
        foreach (var level in _levels)
        {
            if (level?.Peek() is { } first && (oldest is null || DeliveryOrder.Instance.Compare(first, oldest) < 0))
            {
                oldest = first;
            }
        }

        return oldest;
    }

    /// <summary>
    /// Takes out any message. The object may not come back, except one with a key.
    /// </summary>
    public void Remove(StoredMessage message)
    {
        message.Place = MessagePlace.Gone;
        Count--;
        Bytes -= message.BodyLength;
        var level = _levels[message.Priority]!;
        if (message is KeyedMessage { IsInRing: true } keyed)
        {
            level.Empty(keyed);
        }
        else if (!level.Between.Remove(message))
        {
            level.GoneInRing++;
        }

        if (level.GoneInRing > CompactAbove && level.GoneInRing > level.Ring.Count / 2)
        {
            level.Compact();
        }
    }

    /// <summary>How many have been available since that time or longer, whatever their priority.</summary>
    public int CountUntil(long availableAtMs)
    {
        var count = 0;
        foreach (var level in _levels)
        {
            count += level?.CountUntil(availableAtMs) ?? 0;
        }

        return count;
    }

    public IEnumerable<StoredMessage> InOrder() => InOrder(from: null);

    /// <summary>
    /// In order from a place on, whether a message stands there or not; from the first for null. Finds it without walking there.
    /// </summary>
    public IEnumerable<StoredMessage> InOrder(StoredMessage? from)
    {
        for (var priority = from is null ? Priorities - 1 : (int)from.Priority; priority >= 0; priority--)
        {
            if (_levels[priority] is { } level)
            {
                foreach (var message in level.InOrder(priority == from?.Priority ? from : null))
                {
                    yield return message;
                }
            }
        }
    }

    /// <summary>The earliest first, whatever their priority.</summary>
    public IEnumerable<StoredMessage> OldestFirst()
    {
        IEnumerable<StoredMessage> all = [];
        foreach (var level in _levels)
        {
            all = level is null ? all : ReadyMessages.Merge(all, level.InOrder(), DeliveryOrder.Instance);
        }

        return all;
    }

    public IEnumerable<StoredMessage> InReverse() =>
        _levels.Where(static level => level is not null).SelectMany(static level => level!.InReverse());

    /// <summary>Takes out the message that <see cref="Peek"/> or <see cref="PeekOldest"/> shows.</summary>
    public void RemovePeeked(StoredMessage message)
    {
        _levels[message.Priority]!.RemovePeeked(message);
        Count--;
        Bytes -= message.BodyLength;
    }

    private sealed class Level
    {
        /// <summary>Null in the place of a message with a key that left; never at either end.</summary>
        public RingDeque<StoredMessage?> Ring { get; } = new();

        public SortedSet<StoredMessage> Between { get; } = new(DeliveryOrder.Instance);

        public int GoneInRing { get; set; }

        /// <summary>How many places of messages that are gone have been passed since they were removed the last time.</summary>
        private int Passed { get; set; }

        public StoredMessage? Peek()
        {
            DropGoneFirst();
            var first = Ring.Count > 0 ? Ring.First : null;
            if (Between.Count == 0)
            {
                return first;
            }

            var between = Between.Min!;
            return first is null || DeliveryOrder.Instance.Compare(between, first) < 0 ? between : first;
        }

        public void RemovePeeked(StoredMessage message)
        {
            if (Ring.Count > 0 && ReferenceEquals(Ring.First, message))
            {
                Ring.RemoveFirst();
                if (message is KeyedMessage keyed)
                {
                    keyed.IsInRing = false;
                    DropGoneFirst();
                }
            }
            else
            {
                Between.Remove(message);
            }
        }

        /// <summary>Leaves an empty place in the ring, or none at an end of it.</summary>
        public void Empty(KeyedMessage message)
        {
            Ring[message.RingAt - Ring.FirstNumber] = null;
            message.IsInRing = false;
            GoneInRing++;
            DropGoneFirst();
            while (Ring.Count > 0 && Ring.Last is null)
            {
                Ring.RemoveLast();
                GoneInRing--;
            }
        }

        public void Compact()
        {
            Ring.Keep(static kept => kept is { Place: MessagePlace.Ready });
            GoneInRing = 0;
            Passed = 0;
            for (var i = 0; i < Ring.Count; i++)
            {
                if (Ring[i] is KeyedMessage keyed)
                {
                    keyed.EnterRing(Ring.FirstNumber + i);
                }
            }
        }

        public int CountUntil(long availableAtMs)
        {
            // Nearly always all of them: the caller has a clock much like the one that made them ready.
            if ((Ring.Count == 0 || Ring.Last!.AvailableAtMs <= availableAtMs)
                && (Between.Count == 0 || Between.Max!.AvailableAtMs <= availableAtMs))
            {
                return Ring.Count - GoneInRing + Between.Count;
            }

            return InOrder().TakeWhile(message => message.AvailableAtMs <= availableAtMs).Count();
        }

        public IEnumerable<StoredMessage> InReverse()
        {
            using var between = Between.Reverse().GetEnumerator();
            var hasBetween = between.MoveNext();
            for (var i = Ring.Count - 1; i >= 0; i--)
            {
                var message = Ring[i];
                if (message is not { Place: MessagePlace.Ready })
                {
                    continue;
                }

                while (hasBetween && DeliveryOrder.Instance.Compare(between.Current, message) > 0)
                {
                    yield return between.Current;
                    hasBetween = between.MoveNext();
                }

                yield return message;
            }

            while (hasBetween)
            {
                yield return between.Current;
                hasBetween = between.MoveNext();
            }
        }

        public IEnumerable<StoredMessage> InOrder() => InOrder(from: null);

        public IEnumerable<StoredMessage> InOrder(StoredMessage? from)
        {
            if (Passed > CompactAbove)
            {
                // Searches with a filter leave those behind that do not match, and pass the same gone ones again and again.
                Compact();
            }

            using var between = Between.From(from).GetEnumerator();
            var hasBetween = between.MoveNext();
            for (var i = from is null ? 0 : FirstInRing(from); i < Ring.Count; i++)
            {
                var message = Ring[i];
                if (message is not { Place: MessagePlace.Ready })
                {
                    Passed++;
                    continue;
                }

                while (hasBetween && DeliveryOrder.Instance.Compare(between.Current, message) < 0)
                {
                    yield return between.Current;
                    hasBetween = between.MoveNext();
                }

                yield return message;
            }

            while (hasBetween)
            {
                yield return between.Current;
                hasBetween = between.MoveNext();
            }
        }

        private void DropGoneFirst()
        {
            while (Ring.Count > 0 && Ring.First is not { Place: MessagePlace.Ready })
            {
                Ring.RemoveFirst();
                GoneInRing--;
            }
        }

        /// <summary>A message that is gone keeps its order in the ring; an empty place has none.</summary>
        private int FirstInRing(StoredMessage from)
        {
            var low = 0;
            var high = Ring.Count;
            while (low < high)
            {
                var middle = (low + high) / 2;
                var probe = middle;
                while (probe < high && Ring[probe] is null)
                {
                    probe++;
                }

                if (probe < high && DeliveryOrder.Instance.Compare(Ring[probe], from) < 0)
                {
                    low = probe + 1;
                }
                else
                {
                    high = middle;
                }
            }

            return low;
        }
    }
}
