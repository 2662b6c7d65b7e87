using PushQueue.Storage.Embedded.Records;

namespace PushQueue.Storage.Embedded;

/// <summary>
/// The ready messages of a queue in the order in which they come out: priority, time available, arrival. Nearly all arrive in that order
/// and stand in a ring; the few that come between (due delayed ones, returned ones) stand in a separate tree. A message that is cancelled
/// in the middle of the ring stays there as <see cref="MessagePlace.Gone"/> until it reaches the front or the ring is mostly such.
/// </summary>
internal sealed class ReadyMessages
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
        if (ring.Count == 0 || DeliveryOrder.Instance.Compare(message, ring.Last) > 0)
        {
            ring.AddLast(message);
        }
        else if (DeliveryOrder.Instance.Compare(message, ring.First) < 0)
        {
            ring.AddFirst(message);
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

    /// <summary>Takes out the message that <see cref="Peek"/> shows.</summary>
    public StoredMessage? Pop()
    {
        for (var priority = Priorities - 1; priority >= 0; priority--)
        {
            if (_levels[priority]?.Peek() is { } message)
            {
                RemovePeeked(message);
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

    /// <summary>Takes out the message that <see cref="PeekOldest"/> shows.</summary>
    public StoredMessage? PopOldest()
    {
        var oldest = PeekOldest();
        if (oldest is not null)
        {
            RemovePeeked(oldest);
        }

        return oldest;
    }

    /// <summary>
    /// Takes out any message. The caller sets its place to <see cref="MessagePlace.Gone"/>; the object may not come back.
    /// </summary>
    public void Remove(StoredMessage message)
    {
        message.Place = MessagePlace.Gone;
        Count--;
        Bytes -= message.BodyLength;
        var level = _levels[message.Priority]!;
        if (!level.Between.Remove(message))
        {
            level.GoneInRing++;
            if (level.GoneInRing > CompactAbove && level.GoneInRing > level.Ring.Count / 2)
            {
                level.Ring.Keep(static kept => kept.Place == MessagePlace.Ready);
                level.GoneInRing = 0;
            }
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

    public IEnumerable<StoredMessage> InReverse() =>
        _levels.Where(static level => level is not null).SelectMany(static level => level!.InReverse());

    private void RemovePeeked(StoredMessage message)
    {
        _levels[message.Priority]!.RemovePeeked(message);
        Count--;
        Bytes -= message.BodyLength;
    }

    private sealed class Level
    {
        public RingDeque<StoredMessage> Ring { get; } = new();

        public SortedSet<StoredMessage> Between { get; } = new(DeliveryOrder.Instance);

        public int GoneInRing { get; set; }

        public StoredMessage? Peek()
        {
            while (Ring.Count > 0 && Ring.First.Place != MessagePlace.Ready)
            {
                Ring.RemoveFirst();
                GoneInRing--;
            }

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
            }
            else
            {
                Between.Remove(message);
            }
        }

        public int CountUntil(long availableAtMs)
        {
            // Nearly always all of them: the caller has a clock much like the one that made them ready.
            if ((Ring.Count == 0 || Ring.Last.AvailableAtMs <= availableAtMs)
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
                if (message.Place != MessagePlace.Ready)
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
            using var between = Between.From(from).GetEnumerator();
            var hasBetween = between.MoveNext();
            for (var i = from is null ? 0 : FirstInRing(from); i < Ring.Count; i++)
            {
                var message = Ring[i];
                if (message.Place != MessagePlace.Ready)
                {
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

        /// <summary>A message that is gone keeps its order in the ring.</summary>
        private int FirstInRing(StoredMessage from)
        {
            var low = 0;
            var high = Ring.Count;
            while (low < high)
            {
                var middle = (low + high) / 2;
                if (DeliveryOrder.Instance.Compare(Ring[middle], from) < 0)
                {
                    low = middle + 1;
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
