namespace PushQueue.Queues;

/// <summary>
/// The takes that wait for a message, first come first served per queue. A notification of the store wakes the first in line, and a
/// take that leaves the line wakes the next. So a burst of messages walks down the line, and an empty queue costs one vain attempt. Takes
/// with a filter search one after the other (<see cref="TakeLine"/>). A queue's line exists only while a take stands in it.
/// </summary>
internal sealed class TakeWaiters(TimeProvider time) : IQueueChangeListener
{
    private readonly Lock _lock = new();
    private readonly Dictionary<QueueName, TakeLine> _lines = [];
    private volatile int _count;
    private bool _draining;

    /// <summary>How many takes wait now, over all queues.</summary>
    public int Count => _count;

    /// <summary>Joins the line of a queue; the caller must <see cref="Leave"/>.</summary>
    /// <param name="queue">The queue.</param>
    /// <param name="wait">How long at most.</param>
    /// <param name="isFiltered">Whether it takes only some of the messages.</param>
    /// <param name="first">Whether no other take stands before it, so that the caller must try by itself before it waits.</param>
    public TakeWaiter Join(QueueName queue, TimeSpan wait, bool isFiltered, out bool first)
    {
        var waiter = new TakeWaiter(queue, isFiltered);
        lock (_lock)
        {
            if (!_lines.TryGetValue(queue, out var line))
            {
                _lines.Add(queue, line = new TakeLine(time));
            }

            first = line.Join(waiter);
            _count++;
            if (_draining)
            {
                waiter.End();
            }
        }

        waiter.EndAfter(time, wait);
        return waiter;
    }

    /// <summary>Leaves the line and passes the wake on: this take may have taken one of several messages, or been woken in vain.</summary>
    public void Leave(TakeWaiter waiter)
    {
        TakeWaiter? next;
        TimeSpan rest;
        lock (_lock)
        {
            var line = _lines[waiter.Queue];
            next = line.Leave(waiter, out rest);
            _count--;
            if (line.IsEmpty)
            {
                _lines.Remove(waiter.Queue);
            }
        }

        waiter.Dispose();
        next?.Wake();
        RestAt(waiter.Queue, rest);
    }

    /// <summary>A take has tried in vain and waits on. One with a filter gives up its turn.</summary>
    public void PassOn(TakeWaiter waiter)
    {
        if (!waiter.IsFiltered)
        {
            return;
        }

        TakeWaiter? next;
        TimeSpan rest;
        lock (_lock)
        {
            next = _lines[waiter.Queue].EndTurn(waiter, out rest);
        }

        next?.Wake();
        RestAt(waiter.Queue, rest);
    }

    /// <summary>Ends every wait now and all that come.</summary>
    public void Drain()
    {
        List<TakeWaiter> all;
        lock (_lock)
        {
            _draining = true;
            all = [.. _lines.Values.SelectMany(static line => line.All)];
        }

        foreach (var waiter in all)
        {
            waiter.End();
        }
    }

    public void OnReady(QueueName queue)
    {
        // hot path: every put comes through here. A waiter counts itself before it tries the store, and the store makes a message
        // ready before it calls, so a zero read here cannot hide a waiter that has seen the queue empty.
        if (_count == 0)
        {
            return;
        }

        TakeWaiter? first = null;
        TakeWaiter? searcher = null;
        lock (_lock)
        {
            if (_lines.TryGetValue(queue, out var line))
            {
                first = line.First;
                searcher = line.BeginRound();
            }
        }

        first?.Wake();
        searcher?.Wake();
    }

    /// <summary>A take that waits has the same chance to get a message as the connected consumers.</summary>
    public bool? Pushes(QueueName queue)
    {
        if (_count == 0)
        {
            return null;
        }

        lock (_lock)
        {
            return _lines.ContainsKey(queue) ? false : null;
        }
    }

    // A queue that was stopped answers its waiters with an error; the first in line finds out and the wake walks on.
    public void OnSettingsChanged(QueueName queue, QueueSettings settings) => OnReady(queue);

    public void OnResumed()
    {
        List<TakeWaiter> first = [];
        lock (_lock)
        {
            foreach (var line in _lines.Values)
            {
                first.AddRange(new[] { line.First, line.BeginRound() }.OfType<TakeWaiter>());
            }
        }

        first.ForEach(static waiter => waiter.Wake());
    }

    private void RestAt(QueueName queue, TimeSpan rest)
    {
        if (rest > TimeSpan.Zero)
        {
            _ = EndRestAsync(queue, rest);
        }
    }

    private async Task EndRestAsync(QueueName queue, TimeSpan rest)
    {
        await Task.Delay(rest, time);
        TakeWaiter? searcher;
        lock (_lock)
        {
            // A line that was left by all meanwhile, and joined again, begins at once.
            searcher = _lines.TryGetValue(queue, out var line) ? line.EndRest() : null;
        }

        searcher?.Wake();
    }

    public void OnDeleted(QueueName queue)
    {
        // Takes still wait: the queue is made again by its next put.
    }

    public void OnLeasedCancelled(QueueName queue, MessageId id, Receipt receipt)
    {
    }

    public void OnFinished(QueueName queue, MessageId id, FinishedMessage outcome)
    {
    }
}
