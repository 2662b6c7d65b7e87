using PushQueue.Storage.Embedded.Log;

namespace PushQueue.Storage.Embedded;

/// <summary>Choosing by a time that the caller gives, ready or not by the store's clock, and the leases of those who do.</summary>
internal sealed partial class EmbeddedQueue
{
    /// <summary>Ends leases that are over by their callers' clock, the earliest first.</summary>
    public int Requeue(DateTimeOffset dueBy, int limit, out LogBatch? batch)
    {
        batch = null;
        var requeued = 0;
        lock (_gate)
        {
            var now = _services.NowMs();
            AdvanceLocked(now);
            var dueByMs = _services.Clock.FromWall(dueBy);
            while (requeued < limit && _leased.FirstEndedForCaller(dueByMs) is { } message)
            {
                batch = EndLeaseLocked(message, now, LeaseRanOut with { Delay = TimeSpan.Zero }) ?? batch;
                requeued++;
            }
        }

        TellNews();
        return requeued;
    }

    public long CountDue(DateTimeOffset dueBy)
    {
        long count;
        lock (_gate)
        {
            AdvanceLocked(_services.NowMs());
            var dueByMs = _services.Clock.FromWall(dueBy);
            count = _ready.CountUntil(dueByMs) + _delayed.TakeWhile(message => message.AvailableAtMs <= dueByMs).LongCount();
        }

        TellNews();
        return count;
    }

    /// <summary>The next message: the first in order, or, by a caller's clock, the one with the earliest time if that has come.</summary>
    private StoredMessage? PeekLocked(long? dueByMs)
    {
        if (dueByMs is not { } dueBy)
        {
            return _ready.Peek();
        }

        var ready = _ready.PeekOldest();
        var delayed = _delayed.Min;
        var first = delayed is null || (ready is not null && DeliveryOrder.Instance.Compare(ready, delayed) < 0) ? ready : delayed;
        return first?.AvailableAtMs <= dueBy ? first : null;
    }

    /// <summary>Takes out the message that <see cref="PeekLocked"/> shows.</summary>
    private void PopLocked(StoredMessage message, long? dueByMs)
    {
        if (dueByMs is null)
        {
            _ready.Pop();
        }
        else if (message.Place == MessagePlace.Delayed)
        {
            _delayed.Remove(message);
        }
        else
        {
            _ready.PopOldest();
        }
    }

    private static long CallerUntilMs(long? dueByMs, TimeSpan? timeToRun) =>
        dueByMs is { } dueBy && timeToRun is { } ttr ? Math.Max(1, dueBy + (long)ttr.TotalMilliseconds) : 0;

    /// <summary>From when a message whose lease has ended is available; true where that time is still to come.</summary>
    private bool SetAvailableLocked(StoredMessage message, LeaseDetails lease, DateTimeOffset? availableAt, TimeSpan delay, long now)
    {
        if (availableAt is { } at)
        {
            MoveInTimeLocked(message, _services.Clock.FromWall(at));
            return message.AvailableAtMs > now;
        }

        if (delay > TimeSpan.Zero)
        {
            MoveInTimeLocked(message, now + (long)delay.TotalMilliseconds);
            return true;
        }

        // A caller whose clock is ahead had it before its time.
        return lease.CallerUntilMs > 0 && message.AvailableAtMs > now;
    }

    private void MoveInTimeLocked(StoredMessage message, long availableAtMs)
    {
        _ = _expiring.Remove(message);
        message.MoveTo(availableAtMs);
    }
}
