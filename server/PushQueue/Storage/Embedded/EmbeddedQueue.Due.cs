using PushQueue.Queues;

namespace PushQueue.Storage.Embedded;

internal sealed partial class EmbeddedQueue
{
    /// <summary>Something of this queue is due at that time. Schedules only what comes nearer.</summary>
    private void NoteDueLocked(long dueMs)
    {
        if (dueMs < _nextDueMs)
        {
            _nextDueMs = dueMs;
            _services.Timers.Schedule(this, dueMs);
        }
    }

    /// <summary>Brings the queue to the present. Every operation begins with it, so that no timer decides what is true.</summary>
    private void AdvanceLocked(long now)
    {
        if (now < _nextDueMs || _deleted)
        {
            return;
        }

        ShowDueLocked(now);
        EndDueLeasesLocked(now);
        ExpireLocked(now);
        _knownIds.DropUntil(now);
        TrimHistoryLocked(now);
        _nextDueMs = NextDueLocked();
    }

    private void ShowDueLocked(long now)
    {
        for (var i = 0; i < SweepMax && _delayed.Count > 0 && _delayed.Min!.AvailableAtMs <= now; i++)
        {
            var message = _delayed.Min!;
            _ready.Add(message);
            _delayed.Remove(message);
            message.Place = MessagePlace.Ready;
            NewsLocked().Ready();
        }
    }

    private void EndDueLeasesLocked(long now)
    {
        for (var i = 0; i < SweepMax && _leased.FirstEnded(now) is { } message; i++)
        {
            EndLeaseLocked(message, now, LeaseRanOut);
        }
    }

    private static readonly ReleaseRequest LeaseRanOut = new(Error: "the lease ended without an ack");

    private void ExpireLocked(long now)
    {
        for (var i = 0; i < SweepMax && _expiring.Count > 0 && _expiring.Min!.ExpiresAtMs <= now; i++)
        {
            var message = _expiring.Min!;
            _expiring.Remove(message);

            // A leased message expires when it comes back.
            if (message.Place == MessagePlace.Ready)
            {
                _ready.Remove(message);
                DropLocked(message);
            }
            else if (message.Place == MessagePlace.Delayed)
            {
                _delayed.Remove(message);
                DropLocked(message);
            }
        }
    }

    private void DropLocked(StoredMessage message)
    {
        RecordRemovalLocked(message);
        _counters.Expired++;
        ForgetLocked(message);
        NewsOfEndLocked(message, acked: false, message.Details?.LastWorker, message.Attempts, "expired");
    }

    private Log.LogBatch RecordRemovalLocked(StoredMessage message)
    {
        using var appender = _services.Log.BeginAppend();
        appender.Removed(Number, [message]);
        return appender.Batch;
    }

    private long NextDueLocked()
    {
        var due = Math.Min(_knownIds.NextEndMs, _leased.NextEndMs);
        if (_delayed.Count > 0)
        {
            due = Math.Min(due, _delayed.Min!.AvailableAtMs);
        }

        if (_expiring.Count > 0)
        {
            due = Math.Min(due, _expiring.Min!.ExpiresAtMs);
        }

        return _history.Count > 0 ? Math.Min(due, HistoryEndMs(_history.First)) : due;
    }
}
