using System.Collections.Concurrent;

namespace PushQueue.Queues;

/// <summary>
/// The puts that wait for the end of their message. Each registers before its message is put, so that no end is missed: with the id where
/// the client chose one; else the ends of the queue are remembered until the put has answered with the id. Nobody waiting costs a read of
/// one field per end.
/// </summary>
internal sealed class FinishWaiters : IQueueChangeListener
{
    /// <summary>
    /// How many ends are remembered for puts whose id is not known yet: many more than can happen while one put is on its way.
    /// </summary>
    private const int RecentMax = 16_384;

    private readonly ConcurrentDictionary<QueueName, QueueLine> _lines = new();
    private volatile int _count;
    private volatile bool _draining;

    public int Count => _count;

    /// <summary>Null where <paramref name="waitersMax"/> wait already. To be disposed.</summary>
    public FinishWaiter? Register(QueueName queue, MessageId? id, int waitersMax)
    {
        if (Interlocked.Increment(ref _count) > waitersMax)
        {
            _ = Interlocked.Decrement(ref _count);
            return null;
        }

        var waiter = new FinishWaiter(this, queue, id);
        while (!_lines.GetOrAdd(queue, static _ => new QueueLine()).TryAdd(waiter))
        {
            // Given up at that very moment; the next one is new.
        }

        if (_draining)
        {
            waiter.End();
        }

        return waiter;
    }

    /// <summary>Ends every wait now and all that come, without an outcome.</summary>
    public void Drain()
    {
        _draining = true;
        foreach (var (_, line) in _lines)
        {
            line.ForEach(static waiter => waiter.End());
        }
    }

    public void OnFinished(QueueName queue, MessageId id, FinishedMessage outcome)
    {
        // hot path: every message comes through here. A put registers before it calls the store.
        if (_count > 0 && _lines.TryGetValue(queue, out var line))
        {
            line.Finish(id, outcome);
        }
    }

    public void OnDeleted(QueueName queue)
    {
        if (_count > 0 && _lines.TryGetValue(queue, out var line))
        {
            line.ForEach(static waiter => waiter.Finish(Deleted));
        }
    }

    /// <summary>Those who wait look for themselves whether their message still lives.</summary>
    public void OnResumed()
    {
        foreach (var (_, line) in _lines)
        {
            line.ForEach(static waiter => waiter.Finish(FinishedMessage.Unseen));
        }
    }

    public void OnReady(QueueName queue)
    {
    }

    public void OnSettingsChanged(QueueName queue, QueueSettings settings)
    {
    }

    public void OnLeasedCancelled(QueueName queue, MessageId id, Receipt receipt)
    {
    }

    private static readonly FinishedMessage Deleted = new(Acked: false, Worker: null, Attempts: 0, "queue-deleted");

    internal void Identify(FinishWaiter waiter, MessageId id)
    {
        if (_lines.TryGetValue(waiter.Queue, out var line))
        {
            line.Identify(waiter, id);
        }
    }

    internal void Remove(FinishWaiter waiter)
    {
        _ = Interlocked.Decrement(ref _count);
        if (_lines.TryGetValue(waiter.Queue, out var line) && line.Remove(waiter))
        {
            _ = _lines.TryRemove(KeyValuePair.Create(waiter.Queue, line));
        }
    }

    /// <summary>Those who wait at one queue. Its lock is a leaf.</summary>
    private sealed class QueueLine
    {
        private readonly Lock _gate = new();
        private readonly Dictionary<MessageId, List<FinishWaiter>> _byId = [];
        private readonly HashSet<FinishWaiter> _unknown = [];
        private readonly Dictionary<MessageId, FinishedMessage> _recent = [];
        private readonly Queue<MessageId> _recentOrder = new();
        private bool _givenUp;

        public bool TryAdd(FinishWaiter waiter)
        {
            lock (_gate)
            {
                if (_givenUp)
                {
                    return false;
                }

                AddLocked(waiter);
                return true;
            }
        }

        public void Identify(FinishWaiter waiter, MessageId id)
        {
            FinishedMessage? outcome;
            lock (_gate)
            {
                _unknown.Remove(waiter);
                waiter.Id = id;
                AddLocked(waiter);
                _recent.TryGetValue(id, out outcome);
                ForgetLocked();
            }

            if (outcome is not null)
            {
                waiter.Finish(outcome);
            }
        }

        /// <summary>True where nobody is left and the line is given up.</summary>
        public bool Remove(FinishWaiter waiter)
        {
            lock (_gate)
            {
                _unknown.Remove(waiter);
                if (waiter.Id is { } id && _byId.TryGetValue(id, out var waiters) && waiters.Remove(waiter) && waiters.Count == 0)
                {
                    _byId.Remove(id);
                }

                ForgetLocked();
                return _givenUp = _byId.Count == 0 && _unknown.Count == 0;
            }
        }

        public void Finish(MessageId id, FinishedMessage outcome)
        {
            FinishWaiter[] waiting;
            lock (_gate)
            {
                waiting = _byId.TryGetValue(id, out var found) ? [.. found] : [];
                if (_unknown.Count > 0 && _recent.TryAdd(id, outcome))
                {
                    _recentOrder.Enqueue(id);
                    if (_recentOrder.Count > RecentMax)
                    {
                        _recent.Remove(_recentOrder.Dequeue());
                    }
                }
            }

            foreach (var waiter in waiting)
            {
                waiter.Finish(outcome);
            }
        }

        public void ForEach(Action<FinishWaiter> action)
        {
            FinishWaiter[] all;
            lock (_gate)
            {
                all = [.. _unknown, .. _byId.Values.SelectMany(waiters => waiters)];
            }

            Array.ForEach(all, action);
        }

        private void AddLocked(FinishWaiter waiter)
        {
            if (waiter.Id is not { } id)
            {
                _unknown.Add(waiter);
                return;
            }

            if (!_byId.TryGetValue(id, out var waiters))
            {
                _byId.Add(id, waiters = []);
            }

            waiters.Add(waiter);
        }

        private void ForgetLocked()
        {
            if (_unknown.Count == 0 && _recent.Count > 0)
            {
                _recent.Clear();
                _recentOrder.Clear();
            }
        }
    }
}
