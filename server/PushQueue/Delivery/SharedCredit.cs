namespace PushQueue.Delivery;

/// <summary>
/// The messages that a stream over many queues may have in flight under roundrobin. All its queues share them. Queues that found none take
/// turns: the queue that was served last waits until those that wait have been served, so a busy queue leaves room for the others.
/// Its lock is a leaf.
/// </summary>
/// <param name="most">How many messages may be in flight.</param>
/// <param name="time">Ends the wait for a queue that does not take its turn.</param>
internal sealed class SharedCredit(int most, TimeProvider time)
{
    // A queue that waits may have stopped, or lost its messages to other consumers.
    private static readonly TimeSpan TurnTimeout = TimeSpan.FromMilliseconds(500);

    // Longer than a turn waits, so that one look ends a turn that no queue takes.
    private static readonly TimeSpan LookAgainInterval = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly List<Consumer> _waiting = [];
    private Consumer? _last;
    private int _taken;
    private int _turn;
    private long? _yieldedAt;
    private bool _willLookAgain;

    public int Most => most;

    public int Free
    {
        get
        {
            lock (_gate)
            {
                return Math.Max(0, most - _taken);
            }
        }
    }

    /// <summary>
    /// Reserves room for one more message of a consumer's queue.
    /// </summary>
    /// <returns>False if there is no room, or if it is another queue's turn.</returns>
    public bool TryTake(Consumer consumer)
    {
        bool yields;
        lock (_gate)
        {
            if (_taken >= most)
            {
                WaitLocked(consumer);
                return false;
            }

            var others = _waiting.Count - (_waiting.Contains(consumer) ? 1 : 0);
            yields = ReferenceEquals(consumer, _last) && others > 0 && _turn == 0
                && (_yieldedAt is not { } since || time.GetElapsedTime(since) < TurnTimeout);
            if (yields)
            {
                _yieldedAt ??= time.GetTimestamp();
                WaitLocked(consumer);
            }
            else
            {
                if (!ReferenceEquals(consumer, _last) || _turn == 0)
                {
                    _turn = Math.Max(1, (most - _taken) / (others + 1));
                }

                if (_yieldedAt is not null && ReferenceEquals(consumer, _last))
                {
                    // The queues that waited did not take their turn in time.
                    _waiting.Clear();
                }

                _yieldedAt = null;
                _last = consumer;
                _turn--;
                _taken++;
                _ = _waiting.Remove(consumer);
            }
        }

        if (yields)
        {
            Wake(except: consumer);
            LookAgainSoon();
        }

        return !yields;
    }

    /// <summary>Messages of a consumer's queue are no longer in flight.</summary>
    public void GiveBack(int messages)
    {
        lock (_gate)
        {
            _taken -= messages;
        }

        Wake();
    }

    /// <summary>
    /// A consumer's queue had fewer messages than it reserved room for, so its turn is over. The consumer itself is not woken: the next
    /// message of its queue does that, and a search that woke itself would never end.
    /// </summary>
    /// <param name="consumer">The consumer.</param>
    /// <param name="unused">The room that it did not need.</param>
    public void EndTurn(Consumer consumer, int unused)
    {
        lock (_gate)
        {
            _taken -= unused;
            _ = _waiting.Remove(consumer);
            if (ReferenceEquals(consumer, _last))
            {
                _turn = 0;
                _yieldedAt = null;
            }
        }

        Wake();
    }

    /// <summary>One timer at a time: a busy queue yields at each ack.</summary>
    private void LookAgainSoon()
    {
        lock (_gate)
        {
            if (_willLookAgain)
            {
                return;
            }

            _willLookAgain = true;
        }

        _ = LookAgainAsync();
    }

    private async Task LookAgainAsync()
    {
        await Task.Delay(LookAgainInterval, time);
        Consumer[] waiting;
        lock (_gate)
        {
            _willLookAgain = false;
            waiting = [.. _waiting];
        }

        foreach (var consumer in waiting)
        {
            consumer.Dispatcher?.Signal();
        }
    }

    private void WaitLocked(Consumer consumer)
    {
        if (!_waiting.Contains(consumer))
        {
            _waiting.Add(consumer);
        }
    }

    private void Wake(Consumer? except = null)
    {
        Consumer[] waiting;
        lock (_gate)
        {
            if (_waiting.Count == 0 || _taken >= most)
            {
                return;
            }

            _ = _waiting.RemoveAll(static consumer => consumer.HasLeft);
            waiting = [.. _waiting];
        }

        foreach (var consumer in waiting)
        {
            if (consumer != except)
            {
                consumer.OnRoom();
            }
        }
    }
}
