namespace PushQueue.Storage.Embedded;

/// <summary>
/// The ready messages of a queue in the order in which they come out: priority, time available, arrival. Nearly all arrive in that order and
/// stand in a ring; the few that come between (due delayed ones, returned ones) stand in a tree beside it. What is cancelled in the middle of
/// the ring stays there as <see cref="MessagePlace.Gone"/> until it reaches the front or the ring is mostly such.
/// </summary>
internal sealed class ReadyMessages
{
    private const int Priorities = 10;
    private const int CompactAbove = 1024;

    private readonly Level?[] _levels = new Level?[Priorities];

    public int Count { get; private set; }

    /// <summary>Bytes of the bodies.</summary>
    public long Bytes { get; private set; }

    /// <summary>The message's place must be <see cref="MessagePlace.Ready"/>.</summary>
    public void Add(StoredMessage message)
    {
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

    /// <summary>Takes out any message. The caller sets its place to <see cref="MessagePlace.Gone"/>; the object may not come back.</summary>
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

    public IEnumerable<StoredMessage> InOrder()
    {
        for (var priority = Priorities - 1; priority >= 0; priority--)
        {
            if (_levels[priority] is { } level)
            {
                foreach (var message in level.InOrder())
                {
                    yield return message;
                }
            }
        }
    }

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

        public IEnumerable<StoredMessage> InOrder()
        {
            using var between = Between.GetEnumerator();
            var hasBetween = between.MoveNext();
            for (var i = 0; i < Ring.Count; i++)
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
    }
}
