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

            given = new GivenMessages(this);
            if (_ready.Count > 0 && !_deleted)
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
                    // Out of the leases at once, so that a key given twice is refused the second time.
                    _leased.Remove(message);
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
                    _leased.Remove(message);
                    message.Lease = message.Lease! with { UntilMs = now + (long)timeToRun.TotalMilliseconds };
                    _leased.Add(message);
                    NoteDueLocked(message.Lease.UntilMs);
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
        var leased = new List<StoredMessage>(Math.Min(request.Count, _ready.Count));
        var bytes = 0L;
        while (leased.Count < request.Count && _ready.Peek() is { } message && (leased.Count == 0 || bytes + message.BodyLength <= request.BytesMax))
        {
            _ready.Pop();
            bytes += message.BodyLength;
            message.Place = MessagePlace.Leased;
            message.Attempts += request.Delivery ? 0 : 1;
            message.Lease = new LeaseDetails(Receipt.New(), until, request.Worker, request.Delivery);
            _leased.Add(message);
            leased.Add(message);
            given.AddLease(message, request.Delivery ? message.Attempts + 1 : message.Attempts, Name);
        }

        NoteDueLocked(until);
        if (!request.Delivery)
        {
            using var appender = _services.Log.BeginAppend();
            appender.Leased(Number, request.Worker, until, CollectionsMarshal.AsSpan(leased));
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

        if (message.Place == MessagePlace.Leased && message.Lease!.Receipt == key.Receipt)
        {
            return QueueError.None;
        }

        message = null;
        return QueueError.LeaseLost;
    }

    private LogBatch ForgetAckedLocked(List<StoredMessage> acked)
    {
        LogBatch batch;
        using (var appender = _services.Log.BeginAppend())
        {
            appender.Removed(Number, CollectionsMarshal.AsSpan(acked));
            batch = appender.Batch;
        }

        foreach (var message in acked)
        {
            var lease = message.Lease!;
            _counters.Delivered++;
            _counters.Acked += lease.Delivery ? 0 : 1;
            message.Lease = null;
            ForgetLocked(message);
            NewsOfEndLocked(message, acked: true, lease.Worker, lease.Delivery ? message.Attempts + 1 : message.Attempts, reason: null);
        }

        return batch;
    }

    /// <summary>A lease ends without an ack: the message goes back, waits, expires or becomes a dead letter. Null where nothing was recorded.</summary>
    private LogBatch? EndLeaseLocked(StoredMessage message, long now, ReleaseRequest request)
    {
        var lease = message.Lease!;
        _leased.Remove(message);
        message.Lease = null;
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
                return BuryLocked(message, now);
            }
        }
        else
        {
            message.Attempts -= lease.Delivery ? 0 : 1;
        }

        if (message.ExpiresAtMs > 0 && message.ExpiresAtMs <= now)
        {
            var batch = RecordRemovalLocked(message);
            _counters.Expired++;
            ForgetLocked(message);
            NewsOfEndLocked(message, acked: false, lease.Worker, message.Attempts, "expired");
            return batch;
        }

        if (lease.Delivery)
        {
            ReturnLocked(message, delayed: false);
            return null;
        }

        var delay = request.Delay ?? (request.CountsAsAttempt ? (message.Details?.RetryDelay ?? _settings.RetryDelay).After(message.Attempts) : TimeSpan.Zero);
        if (delay > TimeSpan.Zero)
        {
            message.AvailableAtMs = now + (long)delay.TotalMilliseconds;
        }

        ReturnLocked(message, delay > TimeSpan.Zero);
        return RecordChangeLocked(message);
    }

    private void ReturnLocked(StoredMessage message, bool delayed)
    {
        // Its expiry may have passed, and been skipped, while it was leased and is now rescheduled.
        if (message.ExpiresAtMs > 0 && message.ExpiresAtMs <= _services.NowMs())
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

    /// <summary>No attempts left: to the dead-letter queue, in one record, or dropped where the queue has none.</summary>
    private LogBatch BuryLocked(StoredMessage message, long now)
    {
        _counters.DeadLettered++;
        NewsOfEndLocked(message, acked: false, message.Details!.LastWorker, message.Attempts, "max-attempts");
        if (!_settings.DeadLetter)
        {
            var removal = RecordRemovalLocked(message);
            ForgetLocked(message);
            return removal;
        }

        var letter = new DeadLetter(Name, "max-attempts", message.Attempts, DateTimeOffset.FromUnixTimeMilliseconds(now));
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
