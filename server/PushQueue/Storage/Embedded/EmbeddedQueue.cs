using System.Runtime.InteropServices;
using PushQueue.Queues;
using PushQueue.Storage.Embedded.Records;
using PushQueue.Storage.Log;

namespace PushQueue.Storage.Embedded;

/// <summary>
/// One queue and its operations, each in a <see cref="QueueTransaction"/>: it changes the state in memory, appends the records of the
/// change to the log and returns the batch to await; none does I/O or awaits. Called by <see cref="EmbeddedMessageStore"/>, the log's
/// thread (commits), the due timers and the cleaner. Lock order: queues by their numbers, then a dead-letter queue, then the log.
/// </summary>
internal sealed class EmbeddedQueue : ILogOwner
{
    private readonly Lock _gate = new();
    private readonly Lock _notifyingSettings = new();
    private readonly StoreServices _services;
    private readonly QueueState _state;
    private readonly PutAdmission _admission;
    private bool _hasOrphanedLeases;

    public EmbeddedQueue(StoreServices services, long number, QueueName name, string epoch, QueueSettings settings)
    {
        _services = services;
        Number = number;
        Name = name;
        _state = new QueueState(services, this, number, name, epoch, settings);
        _admission = new PutAdmission(_state);
    }

    /// <summary>
    /// Owned by <see cref="DueTimers"/>, under its lock: the time of the next sweep; <see cref="long.MaxValue"/> for never.
    /// </summary>
    public long ScheduledForMs { get; set; } = long.MaxValue;

    /// <summary>Owned by <see cref="DueTimers"/>: how many sweeps in a row have failed.</summary>
    public int FailedSweeps { get; set; }

    public long Number { get; }

    public QueueName Name { get; }

    /// <summary>
    /// The queues that get a copy of each put; null for none. Changed with the queue's lock held, and read again with it held.
    /// </summary>
    public SubscriberSet? Subscribers { get; set; }

    /// <summary>For callers that hold the lock: see <see cref="SharedTransaction"/>.</summary>
    public QueueState State => _state;

    /// <summary>For callers that hold the lock.</summary>
    public PutAdmission Admission => _admission;

    public QueueSettings Settings
    {
        get
        {
            lock (_gate)
            {
                return _state.Settings;
            }
        }
    }

    public static string NewEpoch() => Receipt.New().ToString()[..8];

    /// <summary>Fills a queue before any other thread knows it.</summary>
    public void Restore(Action<QueueState> fill)
    {
        fill(_state);
        _ = _state.TakeEvents();
        _state.ScheduleNext(schedule: true);
        if (_state.Settings.Expires is not null)
        {
            // Dispatchers of consumers that came before the queue know the default settings only.
            _state.Events.SettingsChanged();
        }
    }

    public QueueTransaction Begin() => new(this, _gate, _state);

    /// <summary>An operation that counts as use of the queue, as opposed to one that only looks.</summary>
    private QueueTransaction BeginUse()
    {
        var transaction = Begin();
        _state.NoteUse(transaction.Now);
        return transaction;
    }

    /// <summary>Takes the lock, for a <see cref="SharedTransaction"/>.</summary>
    public void Enter() => _gate.Enter();

    public void Leave() => _gate.Exit();

    /// <summary>Passes on what happened under the lock. Called without it.</summary>
    public void Notify()
    {
        if (!_state.HasEvents)
        {
            return;
        }

        QueueEvents? events;
        lock (_gate)
        {
            events = _state.TakeEvents();
        }

        if (events is not null)
        {
            _ = _services.NotificationFaults.Try(
                Name, (events, _services.Listener), static notification => notification.events.Notify(notification.Listener));
        }
    }

    /// <summary>
    /// Notifies of the settings as they are now, one caller after the other, so that the last notification carries the latest settings.
    /// </summary>
    public void NotifySettings(IQueueChangeListener listener)
    {
        lock (_notifyingSettings)
        {
            listener.OnSettingsChanged(Name, Settings);
        }
    }

    /// <summary>Called by the timers: what is due becomes ready, ends or expires, and a queue that nobody uses is deleted.</summary>
    public void Sweep()
    {
        using (var transaction = Begin())
        {
            if (_hasOrphanedLeases)
            {
                EndOrphanedLeases(transaction.Now);
            }

            if (!_state.IsUnused(transaction.Now))
            {
                if (_state.NextDueMs != long.MaxValue)
                {
                    _services.Timers.Schedule(this, _state.NextDueMs);
                }

                return;
            }
        }

        _services.Queues.DeleteUnused(this);
    }

    /// <summary>
    /// Leases that lived with a connection end with the process that had the connection. Its stop does not count as a failed attempt of a
    /// consumer.
    /// </summary>
    public void EndOrphanedLeases()
    {
        _hasOrphanedLeases = true;
        using var transaction = Begin();
        EndOrphanedLeases(transaction.Now);
    }

    /// <summary>Null where the queue was deleted, or got subscribers, meanwhile: look it up again.</summary>
    public BrokerResult<PutTicket>? Put(NewMessage message)
    {
        using var transaction = BeginUse();
        if (_state.IsDeleted || Subscribers is not null)
        {
            return null;
        }

        if (_admission.FindKnown(message.Id, out var pending) is { } known)
        {
            return new PutTicket(known, Duplicate: true, pending is null ? null : _state.LastPut, pending);
        }

        if (_admission.Admit(message, transaction.Now, ahead: default, out var failure) is not { } stored)
        {
            return failure;
        }

        _state.LastPut = _state.Journal.Put(stored, _state.ExpectedPushes);
        return new PutTicket(stored.Id, Duplicate: false, _state.LastPut);
    }

    /// <summary>All or none. Null where the queue was deleted, or got subscribers, meanwhile.</summary>
    public BrokerResult<PutManyTicket>? PutMany(IReadOnlyList<NewMessage> messages)
    {
        using var transaction = BeginUse();
        if (_state.IsDeleted || Subscribers is not null)
        {
            return null;
        }

        var outcomes = new PutOutcome[messages.Count];
        var admitted = new List<StoredMessage>(messages.Count);
        var repeated = new List<StoredMessage>();
        var ahead = (Messages: 0, Bytes: 0L);
        var nextSequence = _state.Index.NextSequence;
        for (var i = 0; i < messages.Count; i++)
        {
            if (_admission.FindKnown(messages[i].Id, out var pending) is { } known)
            {
                if (pending is not null)
                {
                    repeated.Add(pending);
                }

                outcomes[i] = new PutOutcome(known, Duplicate: true);
                continue;
            }

            if (_admission.Admit(messages[i], transaction.Now, ahead, out var failure) is not { } stored)
            {
                admitted.ForEach(_state.ForgetPending);
                _state.Index.TakeBackSequences(nextSequence);
                return failure with { Detail = $"{failure.Detail} (message {i + 1} of the batch; nothing was stored)" };
            }

            admitted.Add(stored);
            ahead = (ahead.Messages + 1, ahead.Bytes + stored.BodyLength);
            outcomes[i] = new PutOutcome(stored.Id, Duplicate: false);
        }

        if (admitted.Count == 0)
        {
            return new PutManyTicket(outcomes, repeated.Count > 0 ? _state.LastPut : null, repeated);
        }

        _state.LastPut = _state.Journal.Put(CollectionsMarshal.AsSpan(admitted), _state.ExpectedPushes);
        return new PutManyTicket(outcomes, _state.LastPut, repeated);
    }

    /// <summary>Whether the put of a message that was still pending has failed since.</summary>
    public bool WasRefused(StoredMessage message)
    {
        lock (_gate)
        {
            return message is { Place: MessagePlace.Gone, Segment: null };
        }
    }

    public void OnClosing(LogAppender appender)
    {
        try
        {
            var isPushed = _services.Listener.Pushes(Name) is true;
            lock (_gate)
            {
                _state.Pushed.Close(appender, isPushed);
            }
        }
        catch (Exception e)
        {
            // A border: the log's thread serves all queues.
            _services.CommitFaults.Report(Name, e);
        }
    }

    public void OnCommitted(Segment segment, ReadOnlySpan<LocatedRecord> records)
    {
        var hasUnread = false;
        try
        {
            lock (_gate)
            {
                ShowCommitted(segment, records);
                hasUnread = _state.History.Unread > 0;
            }
        }
        catch (Exception e)
        {
            // A border: the log's thread serves all queues.
            _services.CommitFaults.Report(Name, e);
        }

        Notify();

        // The last consumer may have left after the messages got their offsets. One that leaves after this question starts a round.
        if (hasUnread && !_services.Listener.Uses(Name))
        {
            EndPushing();
        }
    }

    /// <summary>
    /// No consumer is left: messages that got their offsets with their puts, and that <see cref="Broadcast"/> has not returned, go to
    /// history.
    /// </summary>
    public void EndPushing()
    {
        using var transaction = Begin();
        _state.Pushed.ExposeAll(transaction.Now);
    }

    public void OnRefused(ReadOnlySpan<LocatedRecord> records)
    {
        try
        {
            lock (_gate)
            {
                foreach (ref readonly var located in records)
                {
                    var message = located.Content as StoredMessage ?? ((CarriedPart)located.Content).Message;
                    message.CarriedTo = null;
                    if (message.Place == MessagePlace.Pending)
                    {
                        _state.Pushed.TakeBack(message);
                        _state.ForgetPending(message);
                    }
                }
            }
        }
        catch (Exception e)
        {
            // A border: the log's thread serves all queues.
            _services.CommitFaults.Report(Name, e);
        }
    }

    /// <summary>
    /// Removes the next messages of a selection. Where bodies have to be read first, they are only leased: <see cref="FinishTake"/> removes
    /// them.
    /// </summary>
    public BrokerResult<OutgoingMessages> Take(int count, int bytesMax, Selection selection, bool evenWhenStopped, int bytesAtOnce)
    {
        using var transaction = BeginUse();
        if (_state.Settings.Stopped && !evenWhenStopped)
        {
            return new BrokerFailure(QueueError.QueueStopped);
        }

        if (_state.Earlier is not null)
        {
            return NewOutgoing();
        }

        if (_state.Waiting.Exceed(count, bytesAtOnce, TimeOf(selection), selection.Filter))
        {
            return new BrokerFailure(QueueError.TooLargeAtOnce);
        }

        // hot path: a take of one makes no list.
        var outgoing = NewOutgoing();
        StoredMessage only = null!;
        List<StoredMessage>? taken = null;
        foreach (var selected in _state.Waiting.Select(count, bytesMax, TimeOf(selection), selection.Filter))
        {
            var message = selected.Place == MessagePlace.Gone ? Renew(selected) : selected;
            outgoing.Add(message, message.Attempts + 1, Name);
            if (count == 1)
            {
                only = message;
            }
            else
            {
                (taken ??= new List<StoredMessage>(Math.Min(count, _state.Waiting.Ready.Count + 1))).Add(message);
            }
        }

        if (outgoing.Count == 0)
        {
            return outgoing;
        }

        var all = taken is null ? new ReadOnlySpan<StoredMessage>(in only) : CollectionsMarshal.AsSpan(taken);
        if (!outgoing.LacksBodies)
        {
            RemoveTaken(all, outgoing);
            return outgoing;
        }

        LeaseUntilRead(all, outgoing);
        if (selection == Selection.Next)
        {
            outgoing.ReadAhead(_state.Waiting.Ready);
        }

        return outgoing;
    }

    /// <summary>
    /// Completes a take whose bodies had to be read: the messages are gone. Messages that were cancelled meanwhile are left out. A
    /// failed read puts all of them back.
    /// </summary>
    public void FinishTake(OutgoingMessages outgoing, bool failed)
    {
        using var transaction = Begin();
        var taken = new List<StoredMessage>(outgoing.Count);
        foreach (var lease in outgoing.Leases.ToArray())
        {
            if (FindLeased(new LeaseKey(lease.Message.Id, lease.Receipt), out var message) != QueueError.None)
            {
                outgoing.LeaveOut(lease.Message);
                continue;
            }

            _state.Leased.Remove(message!);
            if (failed)
            {
                _state.Place(message!, message!.AvailableAtMs > transaction.Now);
            }
            else
            {
                taken.Add(message!);
            }
        }

        if (taken.Count > 0)
        {
            RemoveTaken(CollectionsMarshal.AsSpan(taken), outgoing);
        }
    }

    public BrokerResult<OutgoingMessages> Lease(LeaseRequest request)
    {
        using var transaction = BeginUse();
        if (_state.Settings.Stopped && !request.EvenWhenStopped)
        {
            return new BrokerFailure(QueueError.QueueStopped);
        }

        var outgoing = NewOutgoing();
        if (_state.Earlier is not null)
        {
            return outgoing;
        }

        var dueByMs = TimeOf(request.Selection);
        var until = request.TimeToRun is { } ttr ? transaction.Now + (long)ttr.TotalMilliseconds : long.MaxValue;
        var terms = new LeaseDetails(default, until, request.Worker, request.Delivery, CallerUntilMs(dueByMs, request.TimeToRun));
        var leased = new List<StoredMessage>(Math.Min(request.Count, _state.Waiting.Ready.Count + _state.Waiting.Delayed.Count));
        foreach (var selected in _state.Waiting.Select(request.Count, request.BytesMax, dueByMs, request.Selection.Filter))
        {
            var message = selected.Place == MessagePlace.Gone ? Renew(selected) : selected;
            message.Attempts += request.Delivery ? 0 : 1;
            _state.Leased.Add(message, terms with { Receipt = Receipt.New() });
            leased.Add(message);
            outgoing.AddLease(message, request.Delivery ? message.Attempts + 1 : message.Attempts, Name);
        }

        if (leased.Count > 0)
        {
            _state.NoteDue(until);
            outgoing.Batch = request.Delivery ? null : _state.Journal.Leased(terms, CollectionsMarshal.AsSpan(leased));
        }

        return outgoing;
    }

    /// <summary>Ends leases; the messages are gone. The batch is null where nothing changed.</summary>
    public Recorded<QueueError[]> Ack(IReadOnlyList<LeaseKey> keys)
    {
        using var transaction = BeginUse();
        var answers = new QueueError[keys.Count];
        var acked = new List<StoredMessage>(keys.Count);
        for (var i = 0; i < keys.Count; i++)
        {
            answers[i] = FindLeased(keys[i], out var message);
            if (message is not null)
            {
                // At once, so that a key given twice is refused the second time.
                message.Place = MessagePlace.Gone;
                acked.Add(message);
            }
        }

        if (acked.Count == 0)
        {
            return new(answers, Batch: null);
        }

        var batch = _state.Journal.Taken(CollectionsMarshal.AsSpan(acked));
        foreach (var message in acked)
        {
            var lease = _state.Leased.Remove(message);
            _state.Counters.Acked += lease.Delivery ? 0 : 1;
            _state.Finish(message, lease);
        }

        return new(answers, batch);
    }

    public Recorded<QueueError[]> Release(IReadOnlyList<LeaseKey> keys, ReleaseRequest request)
    {
        using var transaction = BeginUse();
        var answers = new QueueError[keys.Count];
        LogBatch? batch = null;
        for (var i = 0; i < keys.Count; i++)
        {
            answers[i] = FindLeased(keys[i], out var message);
            if (message is not null)
            {
                batch = _state.EndLease(message, transaction.Now, request) ?? batch;
            }
        }

        return new(answers, batch);
    }

    public QueueError[] Check(IReadOnlyList<LeaseKey> keys)
    {
        using var transaction = Begin();
        var answers = new QueueError[keys.Count];
        for (var i = 0; i < keys.Count; i++)
        {
            answers[i] = FindLeased(keys[i], out _);
        }

        return answers;
    }

    public Recorded<QueueError[]> Touch(IReadOnlyList<LeaseKey> keys, TimeSpan timeToRun)
    {
        using var transaction = BeginUse();
        var answers = new QueueError[keys.Count];
        LogBatch? batch = null;
        for (var i = 0; i < keys.Count; i++)
        {
            answers[i] = FindLeased(keys[i], out var message);
            if (message is not null)
            {
                _state.Leased.Renew(message, transaction.Now + (long)timeToRun.TotalMilliseconds);
                _state.NoteDue(message.Lease!.UntilMs);
                batch = message.Lease.Delivery ? batch : _state.Journal.Changed(message);
            }
        }

        return new(answers, batch);
    }

    /// <summary>Ends leases that are over by their callers' clock, the earliest first.</summary>
    public Recorded<int> EndDueLeases(DateTimeOffset dueBy, int limit)
    {
        using var transaction = BeginUse();
        var dueByMs = _services.Clock.FromWall(dueBy);
        var request = new ReleaseRequest(TimeSpan.Zero, "the lease ended without an ack");
        LogBatch? batch = null;
        var ended = 0;
        while (ended < limit && _state.Leased.FirstEndedForCaller(dueByMs) is { } message)
        {
            batch = _state.EndLease(message, transaction.Now, request) ?? batch;
            ended++;
        }

        return new(ended, batch);
    }

    /// <summary>
    /// Gives the next ready messages their offsets; those that have theirs from their puts come first, alone and without a batch. To be
    /// shown to no one before the batch is synced.
    /// </summary>
    public OutgoingMessages Broadcast(int count, int bytesMax)
    {
        using var transaction = BeginUse();
        var outgoing = NewOutgoing();
        if (_state.Pushed.TryRead(outgoing, count, bytesMax, transaction.Now)
            || _state.Settings.Stopped || _state.Waiting.Ready.Count == 0 || _state.Pushed.IsWriting || _state.Earlier is not null)
        {
            return outgoing;
        }

        var sent = new List<StoredMessage>(Math.Min(count, _state.Waiting.Ready.Count));
        foreach (var message in _state.Waiting.Select(count, bytesMax, dueByMs: null, filter: null))
        {
            message.Offset = _state.History.TakeOffset();
            outgoing.Add(message, message.Attempts + 1, Name);
            sent.Add(message);
        }

        if (sent.Count == 0)
        {
            // All that is ready waits for others of its keys.
            return outgoing;
        }

        outgoing.Batch = _state.LastBroadcast = _state.Journal.Broadcast(transaction.Now, CollectionsMarshal.AsSpan(sent));
        foreach (var message in sent)
        {
            // Its id and unique key are free from now on.
            _state.Index.Remove(message);
            _state.History.Add(message, transaction.Now);
            _state.Counters.Delivered++;
            _state.History.Expose(message);
            _state.Events.Finished(message.Id, new FinishedMessage(Acked: true, Worker: null, message.Attempts + 1, Reason: null));
        }

        _state.Pushed.IsExpected = true;
        _state.History.Trim(_state.Settings, transaction.Now);
        _state.NoteDue(_state.History.NextEndMs(_state.Settings));
        return outgoing;
    }

    /// <summary>Messages that were broadcast, and whose bodies turned out to be unreadable, were lost and not delivered.</summary>
    public void CountLostBroadcasts(int count)
    {
        lock (_gate)
        {
            _state.Counters.Lost += count;
            _state.Counters.Delivered -= count;
        }
    }

    /// <summary>A message of another queue, whose lock is held, moves here; null where this queue was deleted meanwhile.</summary>
    public LogBatch? Receive(StoredMessage message, QueueState from, DeadLetter letter, long now)
    {
        // No transaction: the other queue's lock is held, so that nothing may be notified of here. Its events say that this queue has a
        // message.
        lock (_gate)
        {
            _state.NoteUse(now);
            return _state.IsDeleted ? null : from.MoveTo(_state, message, letter, now);
        }
    }

    /// <summary>Removes a live message.</summary>
    public Recorded<bool> Cancel(MessageId id)
    {
        using var transaction = BeginUse();
        return _state.Index.FindVisible(id) is { } message ? new(true, Cancel([message])) : default;
    }

    /// <summary>Removes live messages of any state, the next ready ones first; how many.</summary>
    public Recorded<int> Purge(int count)
    {
        using var transaction = BeginUse();
        List<StoredMessage> messages =
            [.. _state.Waiting.Ready.InOrder().Concat(_state.Waiting.Delayed.InOrder()).Concat(_state.Leased.InOrder()).Take(count)];
        return messages.Count > 0 ? new(messages.Count, Cancel(messages)) : default;
    }

    /// <summary>Makes a live message available at another time; a lease that it has ends.</summary>
    public Recorded<bool> Reschedule(MessageId id, DateTimeOffset availableAt)
    {
        using var transaction = BeginUse();
        if (_state.Index.FindVisible(id) is not { } message)
        {
            return default;
        }

        if (message.Lease is { } lease)
        {
            // Its worker is told to stop as after a cancel, although the message stays.
            _state.Events.LeasedCancelled(message.Id, lease.Receipt);
            if (!lease.Delivery)
            {
                _state.Events.LeaseEnded(message.Id, lease.Receipt);
            }
        }

        var wasReady = message.Place == MessagePlace.Ready;
        _state.LeaveOrder(message);
        if (wasReady)
        {
            message = Renew(message);
        }

        var at = _services.Clock.FromWall(availableAt);
        var isDelayed = at > transaction.Now;
        message.Details?.PlaceMs = 0;
        _state.Index.MoveTo(message, isDelayed ? at : _state.AvailableNow(transaction.Now));
        _state.Place(message, isDelayed);
        return new(true, _state.Journal.Changed(message, needsSync: true));
    }

    /// <summary>
    /// Moves dead letters from a dead-letter queue back here, where they came from. Ids that live here meanwhile stay where they are.
    /// </summary>
    /// <param name="dead">The dead-letter queue.</param>
    /// <param name="id">One message, or null for the next ones.</param>
    /// <param name="count">At most this many.</param>
    /// <returns>How many moved; null where one of the queues was deleted meanwhile.</returns>
    public BrokerResult<Recorded<int>>? ReplayFrom(EmbeddedQueue dead, MessageId? id, int count)
    {
        BrokerResult<Recorded<int>>? result = null;
        using (var transaction = BeginUse())
        {
            if (!_state.IsDeleted)
            {
                result = dead.MoveLettersTo(_state, id, count, transaction.Now);
            }
        }

        dead.Notify();
        return result;
    }

    /// <summary>Writes the queue's state without its messages; a new queue's first record, or a part of a snapshot.</summary>
    public void RecordState()
    {
        lock (_gate)
        {
            if (!_state.IsDeleted)
            {
                _state.Record();
            }
        }
    }

    /// <summary>Deletes everything. False where it was deleted already.</summary>
    public Recorded<bool> Delete()
    {
        using var transaction = Begin();
        return _state.IsDeleted ? default : new(true, DeleteAll(_state));
    }

    /// <summary>Records and does the deletion, in a transaction of the caller.</summary>
    public static LogBatch DeleteAll(QueueState state)
    {
        var segments = state.Index.All.Concat(state.History.InOrder())
            .Where(static message => message.Segment is not null)
            .Select(static message => message.Segment!)
            .Concat(state.KnownIds.Evidence())
            .Distinct();
        var batch = state.Journal.Deleted(segments);
        state.Delete();
        return batch;
    }

    public OutgoingMessages NewOutgoing() => new(this, _services.Clock);

    /// <summary>The dead-letter queue's part of a replay. The target's lock is held, so that nothing may be notified of here.</summary>
    private BrokerResult<Recorded<int>>? MoveLettersTo(QueueState target, MessageId? id, int count, long now)
    {
        lock (_gate)
        {
            if (_state.IsDeleted)
            {
                return null;
            }

            _state.Advance(now);
            _state.NoteUse(now);
            var candidates = id is { } one ? ReadyLetter(one) : [.. _state.Waiting.Ready.InOrder().Take(count)];
            if (id is not null && candidates.Count == 0)
            {
                return new BrokerFailure(QueueError.NotFound, $"No message '{id}' is in '{Name}'.");
            }

            LogBatch? batch = null;
            var moved = 0;
            foreach (var message in candidates)
            {
                if (target.Index.Find(message.Id) is null)
                {
                    _state.LeaveOrder(message);
                    batch = _state.MoveTo(target, message, letter: null, now);
                    moved++;
                }
                else if (id is not null)
                {
                    return new BrokerFailure(
                        QueueError.UniqueKeyTaken, $"A live message in '{target.Name}' has the id '{id}'; cancel it first.");
                }
            }

            return new Recorded<int>(moved, batch);
        }
    }

    private List<StoredMessage> ReadyLetter(MessageId id) =>
        _state.Index.FindVisible(id) is { Place: MessagePlace.Ready } message ? [message] : [];

    private LogBatch Cancel(List<StoredMessage> messages)
    {
        foreach (var message in messages)
        {
            if (message.Lease is { } lease)
            {
                _state.Events.LeasedCancelled(message.Id, lease.Receipt);
            }

            _state.LeaveOrder(message);
        }

        var batch = _state.Journal.Cancelled(CollectionsMarshal.AsSpan(messages));
        foreach (var message in messages)
        {
            _state.Counters.Cancelled++;
            _state.Forget(message);
            _state.NoteEnd(message, "cancelled");
        }

        return batch;
    }

    private void EndOrphanedLeases(long now)
    {
        foreach (var message in _state.Leased.InOrder().Where(static message => message.Lease!.UntilMs == long.MaxValue).ToList())
        {
            _state.EndLease(message, now, BrokenConnection.NotBegun);
        }

        _hasOrphanedLeases = false;
    }

    private void ShowCommitted(Segment segment, ReadOnlySpan<LocatedRecord> records)
    {
        var firstShown = long.MaxValue;
        foreach (ref readonly var located in records)
        {
            var message = located.Content as StoredMessage ?? ((CarriedPart)located.Content).Message;
            message.CarriedTo = null;
            if (message.Place == MessagePlace.Gone || _state.IsDeleted)
            {
                continue;
            }

            _services.Relocate(message, segment, located);
            if (message is { Place: MessagePlace.Pending, Offset: > 0 })
            {
                _state.Pushed.Show(message);
            }
            else if (message.Place == MessagePlace.Pending)
            {
                _state.Show(message);
                firstShown = Math.Min(firstShown, message.Sequence);
            }
            else if (message.Details is { KnownUntilMs: > 0 } && message.ClientId is not null)
            {
                _state.KnownIds.Relocate(message.ClientId, segment);
            }
        }

        // While earlier messages of sources are copied, limits do not hold: the next put makes room.
        if (firstShown != long.MaxValue && _state.Earlier is null)
        {
            _admission.DropOldest(firstShown);
        }
    }

    /// <summary>A ready message cannot leave the middle of its ring and come back as the same object, except one with a key.</summary>
    private StoredMessage Renew(StoredMessage message)
    {
        if (message is KeyedMessage)
        {
            return message;
        }

        _state.Index.Remove(message);
        var copy = message.Copy();
        _state.Index.Add(copy);

        // The former object may stay in the ring for long; the copy has the body now.
        message.Body = null;
        return copy;
    }

    private void LeaseUntilRead(ReadOnlySpan<StoredMessage> selected, OutgoingMessages outgoing)
    {
        for (var i = 0; i < selected.Length; i++)
        {
            // Not recorded: after a crash the message is ready, as if nobody had asked for it.
            _state.Leased.Add(selected[i], new LeaseDetails(Receipt.New(), long.MaxValue, Worker: null, Delivery: true));
            outgoing.AddReceipt(i, selected[i].Lease!);
        }
    }

    private void RemoveTaken(ReadOnlySpan<StoredMessage> taken, OutgoingMessages outgoing)
    {
        outgoing.Batch = _state.Journal.Taken(taken);
        foreach (var message in taken)
        {
            _state.Finish(message, lease: null);
        }
    }

    private QueueError FindLeased(LeaseKey key, out StoredMessage? message)
    {
        message = _state.Index.FindVisible(key.Id);
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

    private long? TimeOf(Selection selection) => selection.Time is { } time ? _services.Clock.FromWall(time) : null;

    private static long CallerUntilMs(long? dueByMs, TimeSpan? timeToRun) =>
        dueByMs is { } dueBy && timeToRun is { } ttr ? Math.Max(1, dueBy + (long)ttr.TotalMilliseconds) : 0;
}
