using Microsoft.Extensions.Logging;
using PushQueue.Delivery.Encoding;
using PushQueue.Queues;

namespace PushQueue.Delivery;

/// <summary>
/// Opens streams over many queues, and lets queues join that are made later. Finds the streams by an index of their patterns: without
/// patterns a new queue costs one comparison, and a put into a queue that exists costs nothing.
/// </summary>
internal sealed class QueueSets(
    Dispatcher dispatcher, IMessageStore store, TimeProvider time, ILogger<QueueSets> logger, MessageMeter meter) : IQueueChangeListener
{
    private readonly PatternIndex<SetMembership> _index = new();
    private readonly FaultBorder _faults = new("queue-sets", logger, meter);

    /// <summary>
    /// Joins a connection to all queues that the request selects. From when this completes it gets every message that is put into them, and
    /// queues that appear join by themselves. Either all queues have joined, or none.
    /// </summary>
    /// <exception cref="StoreUnavailableException">The store is out of reach; nothing has joined.</exception>
    public async ValueTask<SetOpening> OpenAsync(OutboundBuffer buffer, SetRequest request)
    {
        var set = new QueueSet(buffer, request.Selection, request.Format, request.Options, time);
        // A large cursor is needed only until the stream is open; the membership lives as long as the stream.
        var membership = new SetMembership(set, request with { Cursor = null }, dispatcher, store, time, _faults);

        // Before the connection knows the set: it may end at any time from then on.
        set.Ended = () => End(membership);
        set.Failed = consumer =>
        {
            if (!consumer.HasLeft)
            {
                dispatcher.EndSubscription(consumer, CloseReason.ServerError);
            }
        };
        if (!buffer.TryAttach(set))
        {
            return new SetOpening(null);
        }

        foreach (var pattern in request.Selection.Patterns)
        {
            _index.Add(pattern, membership);
        }

        var isOpen = false;
        try
        {
            isOpen = await membership.OpenAsync(request.Cursor);
            return isOpen ? new SetOpening(set, set.EncodeStart()) : new SetOpening(null, IsTooMany: true);
        }
        finally
        {
            if (isOpen && !membership.HasEnded)
            {
                set.Open();
                membership.Run();
            }
            else
            {
                Close(set);
            }
        }
    }

    /// <summary>Takes a connection out of all its queues; the connection itself stays.</summary>
    /// <param name="set">The queues.</param>
    /// <param name="started">See <see cref="Dispatcher.Unsubscribe"/>.</param>
    public void Close(QueueSet set, IReadOnlyList<LeaseKey>? started = null)
    {
        set.Ended?.Invoke();
        foreach (var member in set.Members)
        {
            if (member.Consumer is { } consumer)
            {
                dispatcher.Unsubscribe(consumer, started: started);
            }
        }

        set.Buffer.Detach(set);
    }

    public void OnMade(QueueName queue)
    {
        // hot path: every queue that is made; one comparison where no stream has a pattern.
        if (_index.IsEmpty)
        {
            return;
        }

        foreach (var membership in _index.Find(queue.Value))
        {
            membership.Appeared(queue);
        }
    }

    public void OnResumed()
    {
        if (_index.IsEmpty)
        {
            return;
        }

        foreach (var membership in _index.Owners())
        {
            membership.LookForAppeared();
        }
    }

    public void OnReady(QueueName queue)
    {
        // Dispatchers give out messages; this class knows queues only. Dead-letter queues are made without an event of their own.
        // hot path: every message that becomes ready; one comparison where no stream has a pattern.
        if (_index.IsEmpty || !queue.IsDeadLetter)
        {
            return;
        }

        foreach (var membership in _index.Find(queue.Value))
        {
            membership.AppearedWithMessage(queue);
        }
    }

    public void OnSettingsChanged(QueueName queue, QueueSettings settings)
    {
        // As above.
    }

    public void OnDeleted(QueueName queue)
    {
        // The dispatcher ends the consumers, and each of them leaves its set.
    }

    public void OnLeasedCancelled(QueueName queue, MessageId id, Receipt receipt)
    {
        // As above.
    }

    public void OnFinished(QueueName queue, MessageId id, FinishedMessage outcome)
    {
        // As above.
    }

    private void End(SetMembership membership)
    {
        membership.End();
        foreach (var pattern in membership.Patterns)
        {
            _index.Remove(pattern, membership);
        }
    }
}
