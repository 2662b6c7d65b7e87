using PushQueue.Queues;
using PushQueue.Storage.Embedded.Records;
using PushQueue.Storage.Log;

namespace PushQueue.Storage.Embedded;

/// <summary>
/// The parts of one queue, and the steps that its operations share: how messages come into their orders and leave them, how leases end,
/// and what happens by itself as time passes. Guarded by the queue's lock; does no I/O.
/// </summary>
internal sealed class QueueState
{
    /// <summary>How much one pass over due messages does before it lets others in.</summary>
    private const int SweepMax = 10_000;

    private static readonly ReleaseRequest LeaseRanOut = new(Error: "the lease ended without an ack");

    private readonly EmbeddedQueue _owner;
    private QueueEvents? _events;
    private long _nextDueMs = long.MaxValue;

    public QueueState(StoreServices services, EmbeddedQueue owner, long number, QueueName name, string epoch, QueueSettings settings)
    {
        _owner = owner;
        Services = services;
        Number = number;
        Name = name;
        Epoch = epoch;
        Settings = settings;
        Keys = new QueueKeys(this);
        Waiting = new WaitingMessages(Keys);
        Leased = new LeasedMessages(Keys);
        Index = new MessageIndex(services, Keys);
        KnownIds = new KnownIds(services);
        Journal = new QueueJournal(services, owner, number);
        History = new BroadcastHistory(services, Journal);
        History.KeepLatest(settings.HistoryPerKey);
        Pushed = new PushedPuts(this, owner);
    }

    public StoreServices Services { get; }

    public long Number { get; }

    public QueueName Name { get; }

    public string Epoch { get; }

    public QueueSettings Settings { get; set; }

    public MutableCounters Counters { get; } = new();

    public MessageIndex Index { get; }

    public QueueKeys Keys { get; }

    public WaitingMessages Waiting { get; }

    public LeasedMessages Leased { get; }

    public BroadcastHistory History { get; }

    public PushedPuts Pushed { get; }

    /// <summary>Null where no dispatcher broadcasts the queue's messages.</summary>
    public PushedPuts? ExpectedPushes => Pushed.IsExpected ? Pushed : null;

    public KnownIds KnownIds { get; }

    public QueueJournal Journal { get; }

    public bool IsDeleted { get; private set; }

    /// <summary>Sources of subscriptions whose earlier messages are still to be copied; null for none.</summary>
    public EarlierCopyings? Earlier { get; set; }

    /// <summary>The batch of the last put: a put that repeats one still on its way waits for it.</summary>
    public LogBatch? LastPut { get; set; }

    /// <summary>The batch of the last broadcast: its offsets are shown to no one before it is synced.</summary>
    public LogBatch? LastBroadcast { get; set; }

    /// <summary>Messages whose put is on its way to the disk.</summary>
    public int Pending { get; private set; }

    public long PendingBytes { get; private set; }

    public int Live => Waiting.Ready.Count + Waiting.Delayed.Count + Leased.Count + Pending;

    /// <summary>
    /// The time of the last plain put, which never goes back: later puts come after earlier ones whatever the clock does.
    /// </summary>
    public long LastAvailableMs { get; private set; }

    /// <summary>Whether a change of settings with that condition applies now.</summary>
    public bool Meets(SettingsCondition condition) => condition switch
    {
        // A put may have come between the search for the queue and this.
        SettingsCondition.NewQueue => Index.NextSequence == 1 && History.NextOffset == 1
            && Settings with { Expires = null } == QueueSettings.Default,
        SettingsCondition.UndecidedExpiry => Settings.Expires is null,
        SettingsCondition.UndecidedPolicy => Settings.Policy is null && History.NextOffset == 1,
        _ => true,
    };

    /// <summary>When the queue was used last, by the queues' clock; in the future while somebody is connected to it.</summary>
    public long UsedAtMs { get; private set; }

    /// <summary>When the queue has been unused for as long as its setting says; <see cref="long.MaxValue"/> for never.</summary>
    public long UnusedAtMs => Settings.Expires is { Ticks: > 0 } expires ? UsedAtMs + (long)expires.TotalMilliseconds : long.MaxValue;

    public BroadcastPosition Position => new(Epoch, History.FirstOffset, History.EndOffset);

    public QueueEvents Events => _events ??= new QueueEvents(_owner);

    /// <summary>Read without the lock: whether there is something to notify of.</summary>
    public bool HasEvents => Volatile.Read(ref _events) is not null;

    /// <summary>When something happens by itself the next time; <see cref="long.MaxValue"/> for never.</summary>
    public long NextDueMs => IsDeleted ? long.MaxValue : _nextDueMs;

    public QueueEvents? TakeEvents()
    {
        var events = _events;
        _events = null;
        return events;
    }

    /// <summary>The queue is used then. Schedules nothing: a use only moves the end further away.</summary>
    public void NoteUse(long atMs) => UsedAtMs = Math.Max(UsedAtMs, atMs);

    /// <summary>The use of an earlier run: time in which no server ran does not count.</summary>
    public void RestoreUse(long unusedMs, long now) => UsedAtMs = now - unusedMs;

    public bool IsUnused(long now) => UnusedAtMs <= now && !IsDeleted;

    /// <summary>Something of this queue is due at that time. Schedules only what comes nearer.</summary>
    public void NoteDue(long dueMs)
    {
        if (dueMs < _nextDueMs)
        {
            _nextDueMs = dueMs;
            Services.Timers.Schedule(_owner, dueMs);
        }
    }

    /// <summary>Brings the queue to the present. Every operation begins with it, so that no timer decides what is true.</summary>
    public void Advance(long now)
    {
        if (now < _nextDueMs || IsDeleted)
        {
            return;
        }

        ShowDue(now);
        EndDueLeases(now);
        DropExpired(now);
        KnownIds.DropUntil(now);
        History.Trim(Settings, now);
        if (Waiting.Delayed.Count > 0 || Leased.Count > 0 || Pending > 0)
        {
            // It waits for a time to come, or for a worker.
            NoteUse(now);
        }

        ScheduleNext(schedule: false);
    }

    /// <summary>Finds out again what is due next.</summary>
    public void ScheduleNext(bool schedule)
    {
        var due = Math.Min(Waiting.Delayed.NextDueMs, Leased.NextEndMs);
        due = Math.Min(due, Math.Min(Index.NextExpiryMs, KnownIds.NextEndMs));
        _nextDueMs = Math.Min(due, Math.Min(History.NextEndMs(Settings), UnusedAtMs));
        if (schedule && _nextDueMs != long.MaxValue)
        {
            Services.Timers.Schedule(_owner, _nextDueMs);
        }
    }

    /// <summary>When a message that is available now becomes so.</summary>
    public long AvailableNow(long now) => LastAvailableMs = Math.Max(LastAvailableMs, now);

    /// <summary>Later puts are available after that time.</summary>
    public void ComeAfter(long timeMs) => LastAvailableMs = Math.Max(LastAvailableMs, timeMs + 1);

    public void AddPending(StoredMessage message)
    {
        Index.Add(message);
        Pending++;
        PendingBytes += message.BodyLength;
    }

    /// <summary>The put failed: the message was never there.</summary>
    public void ForgetPending(StoredMessage message)
    {
        message.Place = MessagePlace.Gone;
        message.Body = null;
        EndPending(message);
        Index.Remove(message);
    }

    /// <summary>The put is durable: the message becomes visible.</summary>
    public void Show(StoredMessage message)
    {
        CountPut(message);
        Place(message, message.BecomesDelayed);
    }

    /// <summary>The put is durable; the caller gives the message its place.</summary>
    public void CountPut(StoredMessage message)
    {
        EndPending(message);
        Counters.Put++;
        Counters.Failed += message.CountsAsFailure ? 1 : 0;
        Services.Cache.KeepIfRoom(message);
        if (message.Details is { KnownUntilMs: > 0 } details)
        {
            KnownIds.Add(message.ClientId!, details.KnownUntilMs, message.Segment!);
            NoteDue(details.KnownUntilMs);
        }
    }

    /// <summary>Puts a message that stands in no order among the ready or the delayed ones.</summary>
    public void Place(StoredMessage message, bool delayed)
    {
        if (message.ExpiresAtMs > 0)
        {
            // It is in this order already, unless it was moved in time, or its expiry passed while it was leased.
            Index.AddExpiry(message);
            NoteDue(message.ExpiresAtMs);
        }

        if (delayed)
        {
            Waiting.Delayed.Add(message);
            NoteDue(message.AvailableAtMs);
            return;
        }

        Waiting.Ready.Add(message);
        Events.Ready();
    }

    /// <summary>Takes a message out of the order in which it stands; its lease, if it has one, ends.</summary>
    public void LeaveOrder(StoredMessage message)
    {
        switch (message.Place)
        {
            case MessagePlace.Ready:
                Waiting.Ready.Remove(message);
                break;
            case MessagePlace.Delayed:
                Waiting.Delayed.Remove(message);
                break;
            case MessagePlace.Leased:
                Leased.Remove(message);
                break;
        }
    }

    /// <summary>The message, already out of its order, is gone: its removal has been recorded.</summary>
    public void Forget(StoredMessage message)
    {
        message.Place = MessagePlace.Gone;
        Index.Remove(message);
        Services.Cache.Release(message);
        Services.ReleaseRecord(message);
    }

    /// <summary>The recorded take or ack of messages out of their orders: they are gone.</summary>
    public void Finish(StoredMessage message, LeaseDetails? lease)
    {
        Counters.Delivered++;
        var attempts = lease is { Delivery: false } ? message.Attempts : message.Attempts + 1;
        var receipt = lease is { Delivery: false } ? lease.Receipt : default;
        Forget(message);
        Events.Finished(message.Id, new FinishedMessage(Acked: true, lease?.Worker, attempts, Reason: null, Receipt: receipt));
    }

    /// <summary>A message ended in another way than by a take or an ack.</summary>
    public void NoteEnd(StoredMessage message, string reason) => NoteEnd(message, reason, message.Details?.LastWorker);

    /// <summary>A lease ends without an ack: the message goes back, waits, expires or becomes a dead letter.</summary>
    /// <returns>The batch with its record; null where nothing was recorded.</returns>
    public LogBatch? EndLease(StoredMessage message, long now, ReleaseRequest request)
    {
        var lease = Leased.Remove(message);
        if (!lease.Delivery)
        {
            Events.LeaseEnded(message.Id, lease.Receipt);
        }

        if (request.CountsAsAttempt && !lease.Delivery)
        {
            CountFailure(message, lease.Worker ?? request.Worker, request.Error);
            var ranOut = message.Attempts >= (message.Details!.MaxAttempts ?? Settings.MaxAttempts);
            if ((ranOut || request.DeadLetter) && !Name.IsDeadLetter)
            {
                return DeadLetter(message, now, request.DeadLetter ? "rejected" : "max-attempts");
            }
        }
        else
        {
            message.Attempts -= lease.Delivery ? 0 : 1;
        }

        // A delay starts the time to live again, so it comes before the question whether that has ended.
        var delayed = !lease.Delivery && SetAvailable(message, lease, request, now);
        if (message.ExpiresAtMs > 0 && message.ExpiresAtMs <= now)
        {
            return Expire(message, lease.Worker);
        }

        Place(message, delayed);
        return lease.Delivery ? null : Journal.Changed(message);
    }

    /// <summary>
    /// Moves a message, already out of its order, to the dead-letter queue in one record, or drops it where the queue has none. Takes the
    /// lock of the dead-letter queue.
    /// </summary>
    public LogBatch DeadLetter(StoredMessage message, long now, string reason)
    {
        Counters.DeadLettered++;
        NoteEnd(message, reason);
        if (!Settings.DeadLetter || Name.IsDeadLetter)
        {
            var removal = Journal.Removed(message);
            Forget(message);
            return removal;
        }

        var letter = new DeadLetter(Name, reason, message.Attempts, DateTimeOffset.FromUnixTimeMilliseconds(now));
        while (true)
        {
            // A dead-letter queue that was deleted at this very moment is made again.
            if (Services.Queues.GetOrCreate(Name.DeadLetter).Receive(message, this, letter, now) is { } batch)
            {
                Events.Ready(Name.DeadLetter);
                return batch;
            }
        }
    }

    /// <summary>
    /// Moves a message, already out of its order, to another queue, whose lock is held, too. The body stays where it is in the log; the
    /// record says which queue it belongs to now.
    /// </summary>
    public LogBatch MoveTo(QueueState target, StoredMessage message, DeadLetter? letter, long now)
    {
        var arrived = target.Arrival(message, letter, now);
        var batch = Journal.Moved(message, target, arrived);

        // Live bytes and the cached body change hands with the message.
        message.Place = MessagePlace.Gone;
        Index.Remove(message);
        arrived.StandWith(message);

        // A copy that is on its way lets the move be replayed although the segment it came from is gone.
        arrived.CarriedTo = message.CarriedTo is null ? null : batch.Segment;
        arrived.Body = message.Body;
        message.Body = null;
        target.Index.Add(arrived);
        target.Counters.Put++;
        target.Place(arrived, delayed: false);
        return batch;
    }

    /// <summary>Writes the queue's state without its messages: a new queue's first record, or a part of a snapshot.</summary>
    public LogBatch Record()
    {
        History.RecordKept();
        return Journal.State(
            new QueueStateRecord(
                Number, Name, Epoch, Index.NextSequence, History.NextOffset, Settings, Counters.Snapshot(), History.FirstOffset,
                    UnusedMs(), Earlier));
    }

    /// <summary>
    /// Everything is gone. The due timers know the queue until its last time has come, which may be years from now: nothing may hang on it.
    /// </summary>
    public void Delete()
    {
        IsDeleted = true;
        Services.CountQueues(-1);
        foreach (var message in Index.All)
        {
            NoteEnd(message, "queue-deleted");
            Discard(message);
        }

        foreach (var message in History.InOrder())
        {
            Discard(message);
        }

        Index.Clear();
        Waiting.Clear();
        Leased.Clear();
        Keys.Clear();
        History.Clear();
        Pushed.Clear();
        KnownIds.Clear();
        Earlier = null;
        Pending = 0;
        PendingBytes = 0;
        LastPut = null;
        LastBroadcast = null;
        Events.Deleted();
    }

    /// <summary>A message of an earlier run, with its place.</summary>
    public void Restore(StoredMessage message)
    {
        Index.Add(message);
        if (message.Place == MessagePlace.Leased)
        {
            Leased.Add(message, message.Lease!);
            if (message.ExpiresAtMs > 0)
            {
                Index.AddExpiry(message);
            }
        }
        else
        {
            Place(message, message.Place == MessagePlace.Delayed);
        }

        if (message.Place != MessagePlace.Delayed && message.Lease is null or { CallerUntilMs: 0 })
        {
            // The clock may have gone back since. The next put comes after these all the same, leased ones included.
            LastAvailableMs = Math.Max(LastAvailableMs, message.AvailableAtMs);
        }
    }

    private long UnusedMs() => Settings.Expires is null ? 0 : Math.Max(0, Services.NowMs() - UsedAtMs);

    private void EndPending(StoredMessage message)
    {
        if (!IsDeleted)
        {
            Pending--;
            PendingBytes -= message.BodyLength;
        }
    }

    private void Discard(StoredMessage message)
    {
        var isVisible = message.Place != MessagePlace.Pending;
        message.Place = MessagePlace.Gone;
        if (isVisible)
        {
            Services.Cache.Release(message);
            Services.ReleaseRecord(message);
        }
    }

    private void ShowDue(long now)
    {
        for (var i = 0; i < SweepMax && Waiting.Delayed.NextDueMs <= now; i++)
        {
            var message = Waiting.Delayed.First!;
            Waiting.Ready.Add(message);
            Waiting.Delayed.Remove(message);
            NoteUse(now);
            Events.Ready();
        }
    }

    private void EndDueLeases(long now)
    {
        for (var i = 0; i < SweepMax && Leased.FirstEnded(now) is { } message; i++)
        {
            NoteUse(now);
            EndLease(message, now, LeaseRanOut);
        }
    }

    private void DropExpired(long now)
    {
        for (var i = 0; i < SweepMax && Index.TakeExpired(now) is { } message; i++)
        {
            // A leased message expires when it comes back.
            if (message.Place is MessagePlace.Ready or MessagePlace.Delayed)
            {
                LeaveOrder(message);
                Expire(message, message.Details?.LastWorker);
            }
        }
    }

    private LogBatch Expire(StoredMessage message, string? worker)
    {
        var batch = Journal.Removed(message);
        Counters.Expired++;
        Forget(message);
        NoteEnd(message, "expired", worker);
        return batch;
    }

    private void NoteEnd(StoredMessage message, string reason, string? worker) =>
        Events.Finished(message.Id, new FinishedMessage(Acked: false, worker, message.Attempts, reason));

    private void CountFailure(StoredMessage message, string? worker, string? error)
    {
        Counters.Failed++;
        var details = message.EnsureDetails();
        details.LastError = error;
        details.LastWorker = worker;
        if (worker is not null)
        {
            Events.WorkerFailed(worker);
        }
    }

    /// <summary>From when a message whose lease has ended is available; true where that time is still to come.</summary>
    private bool SetAvailable(StoredMessage message, LeaseDetails lease, ReleaseRequest request, long now)
    {
        var keyed = Keys.Keyed(message);
        if (request.AvailableAt is { } at)
        {
            keyed?.KeepPlace();
            Index.MoveTo(message, Services.Clock.FromWall(at));
            return message.AvailableAtMs > now;
        }

        var retryDelay = request.CountsAsAttempt
            ? request.RetryDelayOf(message.Details?.RetryDelay, Settings.RetryDelay)
            : RetryDelay.None;
        var delay = request.Delay ?? retryDelay.After(message.Attempts);
        if (delay > TimeSpan.Zero)
        {
            keyed?.KeepPlace();
            Index.MoveTo(message, now + (long)delay.TotalMilliseconds);
            return true;
        }

        // A caller whose clock is ahead had it before its time.
        return lease.CallerUntilMs > 0 && message.AvailableAtMs > now;
    }

    private StoredMessage Arrival(StoredMessage message, DeadLetter? letter, long now)
    {
        var id = message.Id;
        var clientId = Index.Find(id) is null ? id.ToString() : null;
        var arrived = new StoredMessage
        {
            Sequence = Index.TakeSequence(clientId, KnownIds),
            ClientId = clientId,
            ContentType = message.ContentType,
            EnqueuedAtMs = message.EnqueuedAtMs,
            AvailableAtMs = AvailableNow(now),
            Priority = message.Priority,
            BodyLength = message.BodyLength,
            Tags = new MessageDetails
            {
                Headers = message.Headers,
                MaxAttempts = message.Details?.MaxAttempts,
                RetryDelay = message.Details?.RetryDelay,
                TraceParent = message.Details?.TraceParent,
                LastError = message.Details?.LastError,
                LastWorker = message.Details?.LastWorker,
                DeadLetter = letter,
            },
        };
        return message.Key is { } key ? new KeyedMessage(arrived, Keys.Of(key)) : arrived;
    }
}
