namespace PushQueue.Queues;

/// <summary>
/// The takes that wait for a message, first come first served per queue. A notification of the store wakes the first in line, and a
/// take that leaves the line wakes the next. So a burst of messages walks down the line, and an empty queue costs one vain attempt. A
/// queue's line exists only while a take stands in it.
/// </summary>
internal sealed class TakeWaiters(TimeProvider time) : IQueueChangeListener
{
    private readonly Lock _lock = new();
    private readonly Dictionary<QueueName, LinkedList<TakeWaiter>> _lines = [];
    private volatile int _count;
    private bool _draining;

    /// <summary>How many takes wait now, over all queues.</summary>
    public int Count => _count;

    /// <summary>Joins the line of a queue; the caller must <see cref="Leave"/>.</summary>
    /// <param name="queue">The queue.</param>
    /// <param name="wait">How long at most.</param>
    /// <param name="first">Whether the line was empty, so that the caller must try by itself before it waits.</param>
    public TakeWaiter Join(QueueName queue, TimeSpan wait, out bool first)
    {
        var waiter = new TakeWaiter(queue);
        lock (_lock)
        {
            if (!_lines.TryGetValue(queue, out var line))
            {
                _lines.Add(queue, line = new LinkedList<TakeWaiter>());
            }

            first = line.Count == 0;
            line.AddLast(waiter.Node);
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
        TakeWaiter? next = null;
        lock (_lock)
        {
            var line = waiter.Node.List!;
            line.Remove(waiter.Node);
            _count--;
            if (line.First is { } first)
            {
                next = first.Value;
            }
            else
            {
                _lines.Remove(waiter.Queue);
            }
        }

        waiter.Dispose();
        next?.Wake();
    }

    /// <summary>Ends every wait now and all that come.</summary>
    public void Drain()
    {
        List<TakeWaiter> all;
        lock (_lock)
        {
            _draining = true;
            all = [.. _lines.Values.SelectMany(line => line)];
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

        TakeWaiter? first;
        lock (_lock)
        {
            first = _lines.TryGetValue(queue, out var line) ? line.First?.Value : null;
        }

        first?.Wake();
    }

    // A queue that was stopped answers its waiters with an error; the first in line finds out and the wake walks on.
    public void OnSettingsChanged(QueueName queue, QueueSettings settings) => OnReady(queue);

    public void OnResumed()
    {
        List<TakeWaiter> first;
        lock (_lock)
        {
            first = [.. _lines.Values.Select(line => line.First!.Value)];
        }

        first.ForEach(waiter => waiter.Wake());
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
