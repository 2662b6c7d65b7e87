using System.Runtime.InteropServices;
using PushQueue.Queues;
using PushQueue.Storage.Embedded.Log;

namespace PushQueue.Storage.Embedded;

internal sealed partial class EmbeddedQueue
{
    public BrokerResult<GivenMessages> Lease(LeaseRequest request)
    {
        GivenMessages given;
        lock (_gate)
        {
            var now = _services.NowMs();
            AdvanceLocked(now);
            if (_settings.Stopped)
            {
                return new BrokerFailure(QueueError.QueueStopped);
            }

            given = new GivenMessages(this, _services.Clock);
            if (_ready.Count + (request.DueBy is null ? 0 : _delayed.Count) > 0 && !_deleted)
            {
                LeaseLocked(request, now, given);
            }
        }

        TellNews();
        return given;
    }

    /// <summary>Ends leases; the messages are gone. The batch is null where nothing changed.</summary>
    public QueueError[] Ack(IReadOnlyList<LeaseKey> keys, out LogBatch? batch)
    {
        batch = null;
        var answers = new QueueError[keys.Count];
        lock (_gate)
        {
            AdvanceLocked(_services.NowMs());
            var acked = new List<StoredMessage>(keys.Count);
            for (var i = 0; i < keys.Count; i++)
            {
                answers[i] = FindLeasedLocked(keys[i], out var message);
                if (message is not null)
                {
                    // At once, so that a key given twice is refused the second time.
                    message.Place = MessagePlace.Gone;
                    acked.Add(message);
                }
            }

            if (acked.Count > 0)
            {
                batch = ForgetAckedLocked(acked);
            }
        }

        TellNews();
        return answers;
    }

    public QueueError[] Release(IReadOnlyList<LeaseKey> keys, ReleaseRequest request, out LogBatch? batch)
    {
        batch = null;
        var answers = new QueueError[keys.Count];
        lock (_gate)
        {
            var now = _services.NowMs();
            AdvanceLocked(now);
            for (var i = 0; i < keys.Count; i++)
            {
                answers[i] = FindLeasedLocked(keys[i], out var message);
                if (message is not null)
                {
                    batch = EndLeaseLocked(message, now, request) ?? batch;
                }
            }
        }

        TellNews();
        return answers;
    }

    public QueueError[] Check(IReadOnlyList<LeaseKey> keys)
    {
        var answers = new QueueError[keys.Count];
        lock (_gate)
        {
            AdvanceLocked(_services.NowMs());
            for (var i = 0; i < keys.Count; i++)
            {
                answers[i] = FindLeasedLocked(keys[i], out _);
            }
        }

        TellNews();
        return answers;
    }

    public QueueError[] Touch(IReadOnlyList<LeaseKey> keys, TimeSpan timeToRun, out LogBatch? batch)
    {
        batch = null;
        var answers = new QueueError[keys.Count];
        lock (_gate)
        {
            var now = _services.NowMs();
            AdvanceLocked(now);
            for (var i = 0; i < keys.Count; i++)
            {
                answers[i] = FindLeasedLocked(keys[i], out var message);
                if (message is not null)
                {
                    _leased.Renew(message, now + (long)timeToRun.TotalMilliseconds);
                    NoteDueLocked(message.Lease!.UntilMs);
                    batch = message.Lease.Delivery ? batch : RecordChangeLocked(message);
                }
            }
        }

        TellNews();
        return answers;
    }

    private void LeaseLocked(LeaseRequest request, long now, GivenMessages given)
    {
        var until = request.TimeToRun is { } ttr ? now + (long)ttr.TotalMilliseconds : long.MaxValue;
        var dueByMs = FromWall(request.DueBy);
        var callerUntil = CallerUntilMs(dueByMs, request.TimeToRun);
        var leased = new List<StoredMessage>(Math.Min(request.Count, _ready.Count + _delayed.Count));
        var bytes = 0L;
        while (leased.Count < request.Count && PeekLocked(dueByMs) is { } message && (leased.Count == 0 || bytes + message.BodyLength <= request.BytesMax))
        {
            PopLocked(message, dueByMs);
            bytes += message.BodyLength;
            message.Attempts += request.Delivery ? 0 : 1;
            _leased.Add(message, new LeaseDetails(Receipt.New(), until, request.Worker, request.Delivery, callerUntil));
            leased.Add(message);
            given.AddLease(message, request.Delivery ? message.Attempts + 1 : message.Attempts, Name);
        }

        if (leased.Count > 0)
        {
            NoteDueLocked(until);
        }

        if (!request.Delivery && leased.Count > 0)
        {
            using var appender = _services.Log.BeginAppend(writesItself: true);
            appender.Leased(Number, request.Worker, until, callerUntil, CollectionsMarshal.AsSpan(leased));
            given.Batch = appender.Batch;
        }
    }

    private QueueError FindLeasedLocked(LeaseKey key, out StoredMessage? message)
    {
        message = FindVisibleLocked(key.Id);
        if (message is null or { Place: MessagePlace.Gone })
        {
            message = null;
            return QueueError.NotFound;
        }

        if (message.Place == MessagePlace.Leased
            && (message.Lease!.Receipt == key.Receipt || (key.Receipt.IsNone && !message.Lease.Delivery)))
        {
            return QueueError.None;
        }

        message = null;
        return QueueError.LeaseLost;
    }

    private LogBatch ForgetAckedLocked(List<StoredMessage> acked)
    {
        LogBatch batch;
        using (var appender = _services.Log.BeginAppend(writesItself: true))
        {
            appender.Removed(Number, CollectionsMarshal.AsSpan(acked));
            batch = appender.Batch;
        }

        foreach (var message in acked)
        {
            var lease = _leased.Remove(message);
            _counters.Delivered++;
            _counters.Acked += lease.Delivery ? 0 : 1;
            ForgetLocked(message);
            var attempts = lease.Delivery ? message.Attempts + 1 : message.Attempts;
            NewsOfEndLocked(message, acked: true, lease.Worker, attempts, reason: null, lease.Delivery ? default : lease.Receipt);
        }

        return batch;
    }

    /// <summary>A lease ends without an ack: the message goes back, waits, expires or becomes a dead letter. Null where nothing was recorded.</summary>
    private LogBatch? EndLeaseLocked(StoredMessage message, long now, ReleaseRequest request)
    {
        var lease = _leased.Remove(message);
        if (!lease.Delivery)
        {
            NewsLocked().LeaseEnded(message.Id, lease.Receipt);
        }

        if (request.CountsAsAttempt && !lease.Delivery)
        {
            var worker = lease.Worker ?? request.Worker;
            _counters.Failed++;
            message.EnsureDetails().LastError = request.Error;
            message.EnsureDetails().LastWorker = worker;
            if (worker is not null)
            {
                NewsLocked().WorkerFailed(worker);
            }

            if (message.Attempts >= (message.Details!.MaxAttempts ?? _settings.MaxAttempts) && !Name.IsDeadLetter)
            {
                return BuryLocked(message, now, "max-attempts");
            }
        }
        else
        {
            message.Attempts -= lease.Delivery ? 0 : 1;
        }

        // A delay starts the time to live again, so it comes before the question whether that has ended.
        var delayed = !lease.Delivery && SetAvailableLocked(message, lease, request.AvailableAt, DelayAfter(message, request), now);
        if (message.ExpiresAtMs > 0 && message.ExpiresAtMs <= now)
        {
            var batch = RecordRemovalLocked(message);
            _counters.Expired++;
            ForgetLocked(message);
            NewsOfEndLocked(message, acked: false, lease.Worker, message.Attempts, "expired");
            return batch;
        }

        ReturnLocked(message, delayed);
        return lease.Delivery ? null : RecordChangeLocked(message);
    }

    private TimeSpan DelayAfter(StoredMessage message, ReleaseRequest request)
    {
        if (request.Delay is { } delay)
        {
            return delay;
        }

        return request.CountsAsAttempt ? (message.Details?.RetryDelay ?? _settings.RetryDelay).After(message.Attempts) : TimeSpan.Zero;
    }

    private void ReturnLocked(StoredMessage message, bool delayed)
    {
        // It left this order where its expiry passed while it was leased, or where it was moved in time.
        if (message.ExpiresAtMs > 0)
        {
            _expiring.Add(message);
            NoteDueLocked(message.ExpiresAtMs);
        }

        if (delayed)
        {
            message.Place = MessagePlace.Delayed;
            _delayed.Add(message);
            NoteDueLocked(message.AvailableAtMs);
            return;
        }

        message.Place = MessagePlace.Ready;
        _ready.Add(message);
        NewsLocked().Ready();
    }

    private LogBatch RecordChangeLocked(StoredMessage message)
    {
        using var appender = _services.Log.BeginAppend();
        appender.Changed(Number, message);
        return appender.Batch;
    }

    /// <summary>
    /// Dead-letters messages whose bodies cannot be read: no later take or lease could give them out either. A dead-letter queue drops them.
    /// A message that changed its place in the log since the read keeps its place in the queue, because the copy may be whole.
    /// </summary>
    public void DeadLetterUnreadable(IReadOnlyList<UnreadableMessage> unreadable)
    {
        lock (_gate)
        {
            var now = _services.NowMs();
            foreach (var (message, segment, offset) in unreadable)
            {
                var isLive = message.Place is MessagePlace.Ready or MessagePlace.Delayed or MessagePlace.Leased;
                if (isLive && message.Segment == segment && message.RecordOffset == offset)
                {
                    LeaveOrderLocked(message);
                    message.EnsureDetails().LastError = "The body on disk cannot be read.";
                    _counters.Lost++;
                    BuryLocked(message, now, "damaged");
                }
            }
        }

        TellNews();
    }

    /// <summary>Messages that were broadcast, and whose bodies turned out to be unreadable, were lost and not delivered.</summary>
    public void CountLostBroadcasts(int count)
    {
        lock (_gate)
        {
            _counters.Lost += count;
            _counters.Delivered -= count;
        }
    }

    /// <summary>No attempts left: to the dead-letter queue, in one record, or dropped where the queue has none.</summary>
    private LogBatch BuryLocked(StoredMessage message, long now, string reason)
    {
        _counters.DeadLettered++;
        NewsOfEndLocked(message, acked: false, message.Details!.LastWorker, message.Attempts, reason);
        if (!_settings.DeadLetter || Name.IsDeadLetter)
        {
            var removal = RecordRemovalLocked(message);
            ForgetLocked(message);
            return removal;
        }

        var letter = new DeadLetter(Name, reason, message.Attempts, DateTimeOffset.FromUnixTimeMilliseconds(now));
        while (true)
        {
            var dead = _services.Queues.GetOrCreate(Name.DeadLetter);
            if (MoveLocked(message, dead, letter, now) is { } batch)
            {
                return batch;
            }
        }
    }
}
