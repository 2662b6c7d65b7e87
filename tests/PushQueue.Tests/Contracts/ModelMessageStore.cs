using PushQueue.Queues;

namespace PushQueue.Tests.Contracts;

/// <summary>
/// The rules of <see cref="IMessageStore"/> in their plainest form: lists, linear searches, one lock, nothing on disk. It is what
/// <see cref="MessageStoreModelTests"/> compares a store with, and is itself held to the contract suite. Slow on purpose: whatever could be
/// remembered is looked up again.
/// </summary>
internal sealed class ModelMessageStore(ModelData data, TimeProvider time) : IMessageStore
{
    private readonly Lock _lock = new();
    private readonly List<Action<IQueueChangeListener>> _news = [];
    private IQueueChangeListener? _listener;
    private ITimer? _timer;

    public string Description => "lists in memory";

    public Durability Durability => Durability.Memory;

    public DateTimeOffset Now => time.GetUtcNow();

    public string? UnavailableReason => null;

    /// <summary>Numbers that the next put shall give where they are free: a store may leave out some.</summary>
    public IReadOnlyList<long> Numbers { get; set; } = [];

    /// <summary>True once two dead letters had one id; what the second is called is the store's own affair.</summary>
    public bool HasAmbiguousIds { get; private set; }

    /// <summary>The next moment at which something happens by itself; null where nothing will.</summary>
    public DateTimeOffset? NextEventAt
    {
        get
        {
            lock (_lock)
            {
                return NextEventAtLocked();
            }
        }
    }

    public Task OpenAsync(IQueueChangeListener listener, CancellationToken cancellationToken)
    {
        _listener = listener;
        _timer = time.CreateTimer(_ => Do(() => true), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        foreach (var queue in data.Queues.Values)
        {
            foreach (var delivery in queue.Live.Where(message => message.Delivery))
            {
                delivery.GiveBack(attemptCounts: false, workerStays: false);
            }
        }

        Do(() => true);
        return Task.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        lock (_lock)
        {
            _timer?.Dispose();
            _timer = null;
        }

        return ValueTask.CompletedTask;
    }

    public ValueTask<BrokerResult<PutOutcome>> PutAsync(QueueName queue, NewMessage message) => Use(queue, () =>
    {
        var outcomes = PutMany(queue, [message]);
        return outcomes.Ok ? (BrokerResult<PutOutcome>)outcomes.Value[0] : outcomes.Failure;
    });

    public ValueTask<BrokerResult<IReadOnlyList<PutOutcome>>> PutManyAsync(QueueName queue, IReadOnlyList<NewMessage> messages) =>
        Use(queue, () => PutMany(queue, messages));

    public ValueTask<BrokerResult<IReadOnlyList<Message>>> TakeAsync(
        QueueName queue,
        int count,
        int bytesMax,
        Selection selection = default,
        bool evenWhenStopped = false,
        int bytesAtOnce = int.MaxValue) => Use(queue, () =>
    {
        if (Find(queue) is not { } found)
        {
            return Result<Message>([]);
        }

        if (found.Settings.Stopped && !evenWhenStopped)
        {
            return new BrokerFailure(QueueError.QueueStopped);
        }

        var next = Within(bytesMax, found.Next(count, selection, isLease: false), message => message.New.Body.Length);
        if (next.Sum(message => (long)message.New.Body.Length) > bytesAtOnce)
        {
            return new BrokerFailure(QueueError.TooLargeAtOnce);
        }

        foreach (var message in next)
        {
            message.Attempt++;
            found.Live.Remove(message);
        }

        if (next.Exists(message => message.New.Key is not null))
        {
            // Another message may stand at the front of the key now.
            _news.Add(listener => listener.OnReady(queue));
        }

        found.Serve(next);
        found.Counters = found.Counters with { Delivered = found.Counters.Delivered + next.Count };
        return Result(next.Select(message => message.Snapshot(queue)));
    });

    public ValueTask<BrokerResult<IReadOnlyList<Lease>>> LeaseAsync(QueueName queue, LeaseRequest request) => Use(queue, () =>
    {
        if (Find(queue) is not { } found)
        {
            return Result<Lease>([]);
        }

        if (found.Settings.Stopped && !request.EvenWhenStopped)
        {
            return new BrokerFailure(QueueError.QueueStopped);
        }

        var leases = new List<Lease>();
        foreach (var message in Within(
            request.BytesMax, found.Next(request.Count, request.Selection, isLease: true), message => message.New.Body.Length))
        {
            message.CallerUntil = request.Selection.Time + request.TimeToRun;
            message.Receipt = new Receipt(++data.LastReceipt);
            message.Until = data.Now + request.TimeToRun;
            message.Delivery = request.Delivery;
            message.WorkerBefore = message.Worker;
            message.Worker = request.Worker ?? message.Worker;
            message.Attempt += request.Delivery ? 0 : 1;
            found.Serve([message]);
            leases.Add(new Lease(message.Snapshot(queue, attempt: message.Given), message.Receipt, message.Until));
        }

        return Result(leases);
    });

    public ValueTask<IReadOnlyList<QueueError>> AckAsync(
        QueueName queue, IReadOnlyList<LeaseKey> keys) => ForEach(queue, keys, (found, message) =>
    {
        found.Live.Remove(message);
        found.Counters = found.Counters with
        {
            Delivered = found.Counters.Delivered + 1,
            Acked = found.Counters.Acked + (message.Delivery ? 0 : 1),
        };
        TellFinished(queue, message, reason: null, message.Delivery ? default : message.Receipt);
        _news.Add(listener => listener.OnReady(queue));
    });

    public ValueTask<IReadOnlyList<QueueError>> ReleaseAsync(QueueName queue, IReadOnlyList<LeaseKey> keys, ReleaseRequest request) =>
        ForEach(queue, keys, (found, message) => EndLease(queue, found, message, request));

    public ValueTask<IReadOnlyList<QueueError>> CheckAsync(QueueName queue, IReadOnlyList<LeaseKey> keys) =>
        ForEach(queue, keys, static (_, _) => { }, isUse: false);

    public ValueTask<IReadOnlyList<QueueError>> TouchAsync(QueueName queue, IReadOnlyList<LeaseKey> keys, TimeSpan timeToRun) =>
        ForEach(queue, keys, (_, message) => message.Until = data.Now + timeToRun);

    public ValueTask<BrokerResult<int>> EndDueLeasesAsync(QueueName queue, DateTimeOffset dueBy, int limit) => Use(queue, () =>
    {
        var over = Find(queue)?.Live.Where(message => message.CallerUntil <= dueBy)
            .OrderBy(message => message.CallerUntil).ThenBy(message => message.Arrival).Take(limit).ToList() ?? [];
        over.ForEach(message => EndLease(queue, Find(queue)!, message, new ReleaseRequest(TimeSpan.Zero, "The lease ended.")));
        return (BrokerResult<int>)over.Count;
    });

    public ValueTask<long> CountDueAsync(QueueName queue, DateTimeOffset dueBy) =>
        Answer(() => Find(queue)?.DueBy(dueBy).LongCount() ?? 0);

    public ValueTask<KeyPage> ListKeysAsync(QueueName queue, string? after, int limit) => Answer(() =>
    {
        var keys = Find(queue)?.Keys.Where(key => after is null || KeyNames.Compare(key.Key, after) > 0)
            .OrderBy(key => key.Key, Comparer<string>.Create(KeyNames.Compare)).ToList() ?? [];
        return new KeyPage([.. keys.Take(limit)], keys.Count > limit ? keys[limit - 1].Key : null);
    });

    public ValueTask<IReadOnlyList<Message>> BroadcastAsync(QueueName queue, int count, int bytesMax) => Use(queue, () =>
    {
        var sent = new List<Message>();
        if (Find(queue) is { Settings.Stopped: false } found)
        {
            foreach (var message in Within(bytesMax, found.Next(count, Selection.Next, isLease: false), message => message.New.Body.Length))
            {
                message.Offset = found.NextOffset++;
                message.BroadcastAt = data.Now;
                message.Attempt++;
                found.Live.Remove(message);
                found.Serve([message]);
                found.History.Add(message);
                found.NoteLatest(message);
                found.Counters = found.Counters with { Delivered = found.Counters.Delivered + 1 };
                sent.Add(message.Snapshot(queue));
            }

            found.TrimHistory(data.Now);
        }

        return (IReadOnlyList<Message>)sent;
    });

    public ValueTask<HistoryPage?> ReadHistoryAsync(QueueName queue, long fromOffset, int count, int bytesMax) => Answer(() =>
    {
        if (Find(queue) is not { } found)
        {
            return null;
        }

        var from = found.History.Where(message => message.Offset >= fromOffset).Take(count).ToList();
        var messages = Within(bytesMax, from, message => message.New.Body.Length);
        return new HistoryPage([.. messages.Select(message => message.Snapshot(queue))], found.Position);
    });

    public ValueTask<HistoryPage?> ReadLatestAsync(QueueName queue, long fromOffset, int count, int bytesMax) => Answer(() =>
    {
        if (Find(queue) is not { } found)
        {
            return null;
        }

        var from = found.Latest.Values.Where(message => message.Offset >= fromOffset).OrderBy(message => message.Offset).Take(count)
            .ToList();
        var messages = Within(bytesMax, from, message => message.New.Body.Length);
        return new HistoryPage([.. messages.Select(message => message.Snapshot(queue))], found.Position);
    });

    public ValueTask<Message?> LookAsync(QueueName queue) => Answer(() =>
    {
        var next = Find(queue)?.Next(1, Selection.Next, isLease: false).FirstOrDefault();
        if (next is not null)
        {
            next.Looks++;
        }

        return next?.Snapshot(queue);
    });

    public ValueTask<BrokerResult<MessagePage>> BrowseAsync(QueueName queue, MessageState state, string? after, int limit) => Answer(() =>
    {
        // A cursor is the whole order of the last message, so that it holds though that message left.
        var start = (Priority: int.MaxValue, AvailableAt: 0L, Arrival: 0L);
        if (after is not null)
        {
            var parts = after.Split('.');
            if (parts.Length != 3 || !int.TryParse(parts[0], out start.Priority) || !long.TryParse(parts[1], out start.AvailableAt)
                || !long.TryParse(parts[2], out start.Arrival))
            {
                return (BrokerResult<MessagePage>)new BrokerFailure(QueueError.BadOption);
            }
        }

        var all = Find(queue)?.Live.Where(message => message.State == state).Select(message => (message, Order(message, state)))
            .Where(entry => after is null || entry.Item2.CompareTo(start) > 0)
            .OrderBy(entry => entry.Item2).ToList() ?? [];
        var bytes = 0L;
        var page = all.Take(limit).TakeWhile((entry, index) => (bytes += entry.message.New.Body.Length) <= 16 * 1024 * 1024 || index == 0)
            .ToList();
        string? next = null;
        if (all.Count > page.Count)
        {
            var last = page[^1].Item2;
            next = $"{last.Priority}.{last.AvailableAt}.{last.Arrival}";
        }

        return new MessagePage([.. page.Select(entry => entry.message.Snapshot(queue))], next);
    });

    public ValueTask<Message?> FindAsync(QueueName queue, MessageId id) => Answer(() => Find(queue)?.FindLive(id)?.Snapshot(queue));

    public ValueTask<BrokerResult<bool>> CancelAsync(QueueName queue, MessageId id) => Use(queue, () =>
    {
        if (Find(queue) is not { } found || found.FindLive(id) is not { } message)
        {
            return (BrokerResult<bool>)false;
        }

        found.Live.Remove(message);
        found.Counters = found.Counters with { Cancelled = found.Counters.Cancelled + 1 };
        if (!message.Receipt.IsNone)
        {
            _news.Add(listener => listener.OnLeasedCancelled(queue, id, message.Receipt));
        }

        TellFinished(queue, message, "cancelled");
        return true;
    });

    public async ValueTask<BrokerResult<int>> PurgeAsync(QueueName queue, int count)
    {
        var purged = 0;
        foreach (var state in new[] { MessageState.Dead, MessageState.Ready, MessageState.Delayed, MessageState.Leased })
        {
            while (purged < count && (await BrowseAsync(queue, state, after: null, 1)).Value.Messages is [var next, ..])
            {
                await CancelAsync(queue, next.Id);
                purged++;
            }
        }

        return purged;
    }

    public ValueTask<BrokerResult<bool>> RescheduleAsync(QueueName queue, MessageId id, DateTimeOffset availableAt) => Use(queue, () =>
    {
        if (Find(queue)?.FindLive(id) is not { } message)
        {
            return (BrokerResult<bool>)false;
        }

        TellLeaseEnded(queue, message);
        message.GiveBack(attemptCounts: !message.Delivery, workerStays: false);
        message.KeptPlace = null;
        SetAvailable(Find(queue)!, message, availableAt);
        _news.Add(listener => listener.OnReady(queue));
        return true;
    });

    public ValueTask<BrokerResult<int>> ReplayAsync(QueueName deadLetterQueue, MessageId? id, int count) => Use(deadLetterQueue, () =>
    {
        var found = Find(deadLetterQueue);
        _ = found is null ? null : Make(deadLetterQueue.Source);
        var letters = found?.Ready.Where(message => message.DeadLetter is not null && (id is null || message.Id == id)).ToList() ?? [];
        if (id is not null && letters.Count == 0)
        {
            return (BrokerResult<int>)new BrokerFailure(QueueError.NotFound);
        }

        var moved = 0;
        foreach (var letter in letters.Take(count))
        {
            var source = letter.DeadLetter!.Source;
            var target = Make(source);
            if (target.FindLive(letter.Id) is not null)
            {
                if (id is not null)
                {
                    return new BrokerFailure(QueueError.UniqueKeyTaken);
                }

                continue;
            }

            found!.Live.Remove(letter);
            letter.DeadLetter = null;
            letter.KeptPlace = null;
            letter.Attempt = 0;
            SetAvailable(target, letter, data.Now);
            letter.Arrival = ++data.LastArrival;
            target.NextNumber++;
            target.Live.Add(letter);
            target.Counters = target.Counters with { Put = target.Counters.Put + 1 };
            moved++;
            _news.Add(listener => listener.OnReady(source));
        }

        return moved;
    });

    public ValueTask<BrokerResult<bool>> DeleteQueueAsync(QueueName queue) => Answer(() =>
    {
        var deleted = data.Queues.Remove(queue.Value);
        if (deleted)
        {
            _news.Add(listener => listener.OnDeleted(queue));
        }

        return (BrokerResult<bool>)deleted;
    });

    public ValueTask<QueueInfo?> GetQueueAsync(QueueName queue) => Answer(() => Find(queue)?.Info(queue));

    public ValueTask<IReadOnlyList<QueueName>> SubscribersAsync(QueueName queue) => Answer(() => SubscribersOf(queue));

    public ValueTask<QueuePage> ListQueuesAsync(string? after, int limit) => Answer(() =>
    {
        var all = data.Queues.Where(pair => after is null || string.CompareOrdinal(pair.Key, after) > 0).ToList();
        var page = all.Take(limit).ToList();
        return new QueuePage(
            [.. page.Select(pair => pair.Value.Info(QueueName.Parse(pair.Key)))],
            data.Queues.Count,
            all.Count > page.Count ? page[^1].Key : null);
    });

    public ValueTask<BrokerResult<QueueSettings>> UpdateSettingsAsync(QueueName queue, QueueSettingsPatch patch) => Use(queue, () =>
    {
        var existed = Find(queue) is not null;
        if (patch.Subscriptions is { } wanted
            && data.Queues.Where(pair => pair.Key != queue.Value).Sum(pair => pair.Value.Settings.Subscriptions.Count) + wanted.Count
                > QueueSubscriptions.TotalMax)
        {
            return QueueSubscriptions.TooMany;
        }

        var found = Make(queue);
        if (existed && (patch.Condition == SettingsCondition.NewQueue
            || (patch.Condition == SettingsCondition.UndecidedExpiry && found.Settings.Expires is not null)
            || (patch.Condition == SettingsCondition.UndecidedPolicy && (found.Settings.Policy is not null || found.NextOffset > 1))))
        {
            return (BrokerResult<QueueSettings>)found.Settings;
        }

        var before = found.Settings.Subscriptions;
        found.Settings = patch.ApplyTo(found.Settings);
        CopyEarlier(queue, found, before);
        found.KeepLatest();
        found.TrimHistory(data.Now);
        _news.Add(listener => listener.OnSettingsChanged(queue, found.Settings));
        return (BrokerResult<QueueSettings>)found.Settings;
    });

    /// <summary>At once, where a store does it in steps and gives nothing out meanwhile.</summary>
    private void CopyEarlier(QueueName queue, ModelQueue found, QueueSubscriptions before)
    {
        var sources = data.Queues.Where(pair => pair.Key != queue.Value && pair.Value.Live.Count + pair.Value.History.Count > 0)
            .Where(pair => found.Settings.Subscriptions.FitsFromEarliest(QueueName.Parse(pair.Key)))
            .Where(pair => !before.Fits(QueueName.Parse(pair.Key)))
            .ToList();
        foreach (var (name, source) in sources)
        {
            var began = new[] { found.LastAvailableAt, source.LastAvailableAt, data.Now }.Max();
            found.LastAvailableAt = began + TimeSpan.FromMilliseconds(1);
            var entries = found.Settings.Subscriptions.Entries
                .Where(entry => entry.FromEarliest && entry.Fits(QueueName.Parse(name))).ToList();
            foreach (var original in source.Held())
            {
                var message = original.New with
                {
                    UniqueKey = null, MaxAttempts = null, RetryDelay = null, CountsAsFailure = false,
                };
                if (!entries.Exists(entry => entry.Wants(message.Headers)) || original.ExpiresAt <= data.Now
                    || (message.Id is { } id && found.Knows(id, data.Now)))
                {
                    continue;
                }

                while (message.Id is null && found.Knows(MessageId.FromNumber(found.NextNumber), data.Now))
                {
                    found.NextNumber++;
                }

                var isDelayed = original is { Attempt: 0, State: MessageState.Delayed };
                var at = isDelayed ? original.AvailableAt : began;
                var copy = new ModelMessage
                {
                    Id = message.Id ?? MessageId.FromNumber(found.NextNumber),
                    New = message,
                    TraceParent = original.TraceParent,
                    Arrival = data.LastArrival + 1,
                    EnqueuedAt = original.EnqueuedAt,
                    TimeToLive = original.ExpiresAt - at,
                };
                copy.SetExactly(at, data.Now);
                copy.IsDue = !isDelayed;
                found.NextNumber++;
                Store(queue, found, [copy], [], found.NextNumber);
            }
        }
    }

    private BrokerResult<IReadOnlyList<PutOutcome>> PutMany(QueueName queue, IReadOnlyList<NewMessage> messages)
    {
        if (messages.Count == 0)
        {
            return Result<PutOutcome>([]);
        }

        // Made even where the put is refused: the queue's rules are what refuses it.
        var found = Make(queue);
        var outcomes = new List<PutOutcome>();
        var added = new List<ModelMessage>();
        var number = found.NextNumber;
        var lastAvailableAt = found.LastAvailableAt;
        var copies = SubscribersOf(queue).Select(name => new ModelCopies(queue, name, Find(name)!)).ToList();
        var numbers = new Queue<long>(Numbers);
        Numbers = [];
        foreach (var message in messages)
        {
            bool Known(MessageId id) => found.Knows(id, data.Now) || added.Exists(other => other.Id == id);
            if (message.Id is { } id && Known(id))
            {
                outcomes.Add(new PutOutcome(id, Duplicate: true));
                continue;
            }

            if (message.UniqueKey is { } key && found.Live.Concat(added).Any(other => other.UniqueKey == key))
            {
                found.LastAvailableAt = lastAvailableAt;
                copies.ForEach(copy => copy.Undo());
                return new BrokerFailure(QueueError.UniqueKeyTaken);
            }

            number = numbers.TryDequeue(out var wanted) && message.Id is null ? Math.Max(wanted, number) : number;
            while (message.Id is null && Known(MessageId.FromNumber(number)))
            {
                number++;
            }

            var stored = NewMessage(found, message, message.Id ?? MessageId.FromNumber(number), added.Count + 1, message.UniqueKey);
            number++;
            added.Add(stored);
            outcomes.Add(new PutOutcome(stored.Id, Duplicate: false, copies.Sum(copy => copy.TryAdd(this, message) ? 1 : 0)));
        }

        if (outcomes.Sum(outcome => outcome.Copies) > QueueSubscriptions.CopiesMax)
        {
            found.LastAvailableAt = lastAvailableAt;
            copies.ForEach(copy => copy.Undo());
            return QueueSubscriptions.TooManyCopies(queue);
        }

        var dropped = WhatToDrop(found, added);
        var full = dropped is null ? queue : copies.Find(copy => WhatToDrop(copy.Queue, copy.Added) is null)?.Name;
        if (full is { } name)
        {
            found.LastAvailableAt = lastAvailableAt;
            copies.ForEach(copy => copy.Undo());
            return new BrokerFailure(QueueError.QueueFull, $"Queue '{name}' is full.");
        }

        Store(queue, found, added, dropped!, number);
        foreach (var copy in copies.Where(copy => copy.Added.Count > 0))
        {
            Store(copy.Name, copy.Queue, copy.Added, WhatToDrop(copy.Queue, copy.Added)!, copy.Number);
        }

        return Result(outcomes);
    }

    private void Store(QueueName name, ModelQueue queue, List<ModelMessage> added, List<ModelMessage> dropped, long number)
    {
        queue.Live.RemoveAll(dropped.Contains);
        queue.Live.AddRange(added);
        queue.NextNumber = number;
        queue.Known.AddRange(added.Where(message => message.New.Id is not null).Select(message => (message.Id, data.Now)));
        queue.Counters = queue.Counters with
        {
            Put = queue.Counters.Put + added.Count,
            Failed = queue.Counters.Failed + added.Count(message => message.New.CountsAsFailure),
            Dropped = queue.Counters.Dropped + dropped.Count,
        };
        data.LastArrival += added.Count;
        _news.Add(listener => listener.OnReady(name));
    }

    private ModelMessage NewMessage(ModelQueue queue, NewMessage message, MessageId id, int arrival, string? uniqueKey)
    {
        var stored = new ModelMessage
        {
            Id = id,
            New = message,
            UniqueKey = uniqueKey,
            TraceParent = message.TraceParent,
            Arrival = data.LastArrival + arrival,
            EnqueuedAt = data.Now,
            TimeToLive = message.TimeToLive,
        };
        if (message is { KeepsPastTime: true, AvailableAt: { } given })
        {
            stored.SetExactly(given, data.Now);
        }
        else
        {
            SetAvailable(queue, stored, message.AvailableAt ?? data.Now);
        }

        return stored;
    }

    /// <summary>The copies that one subscriber gets of a put.</summary>
    private sealed class ModelCopies(QueueName source, QueueName name, ModelQueue queue)
    {
        private readonly DateTimeOffset _lastAvailableAt = queue.LastAvailableAt;

        public QueueName Name => name;

        public ModelQueue Queue => queue;

        public List<ModelMessage> Added { get; } = [];

        public long Number { get; private set; } = queue.NextNumber;

        /// <summary>False where the id is known here, or the message was put back by a worker.</summary>
        public bool TryAdd(ModelMessageStore store, NewMessage message)
        {
            bool Known(MessageId id) => queue.Knows(id, store.DataNow) || Added.Exists(other => other.Id == id);
            var wanted = queue.Settings.Subscriptions.Entries.Any(entry => entry.Fits(source) && entry.Wants(message.Headers));
            if (!wanted || message.CountsAsFailure || (message.Id is { } given && Known(given)))
            {
                return false;
            }

            while (message.Id is null && Known(MessageId.FromNumber(Number)))
            {
                Number++;
            }

            var plain = message with { UniqueKey = null, MaxAttempts = null, RetryDelay = null };
            Added.Add(store.NewMessage(queue, plain, message.Id ?? MessageId.FromNumber(Number), Added.Count + 1, uniqueKey: null));
            Number++;
            return true;
        }

        public void Undo() => queue.LastAvailableAt = _lastAvailableAt;
    }

    /// <summary>The oldest ready messages that must go to make room; null where there is no room to be made.</summary>
    private List<ModelMessage>? WhatToDrop(ModelQueue queue, List<ModelMessage> added)
    {
        var (settings, dropped) = (queue.Settings, new List<ModelMessage>());
        var droppable = new Queue<ModelMessage>(
            settings.Overflow == FullQueuePolicy.DropOldest
                ? queue.Ready.OrderBy(message => message.AvailableAt).ThenBy(message => message.Arrival)
                : []);
        bool Fits()
        {
            var after = queue.Live.Except(dropped).Concat(added).ToList();
            return after.Count <= (settings.MaxMessages ?? long.MaxValue)
                && after.Sum(message => (long)message.New.Body.Length) <= (settings.MaxBytes ?? long.MaxValue);
        }

        while (added.Count > 0 && !Fits())
        {
            if (!droppable.TryDequeue(out var oldest))
            {
                return null;
            }

            dropped.Add(oldest);
        }

        return dropped;
    }

    /// <summary>Plain puts and messages whose time is past are available now, and never before those that were so already.</summary>
    private void SetAvailable(ModelQueue queue, ModelMessage message, DateTimeOffset at)
    {
        message.IsDue = at <= data.Now;
        message.AvailableAt = at;
        if (message.IsDue)
        {
            queue.LastAvailableAt = Later(queue.LastAvailableAt, data.Now);
            message.AvailableAt = queue.LastAvailableAt;
        }
    }

    private void EndLease(QueueName name, ModelQueue queue, ModelMessage message, ReleaseRequest request)
    {
        var counts = request.CountsAsAttempt && !message.Delivery;
        var toTheFront = message.Delivery;
        message.LastError = counts || request.Error is not null ? request.Error : message.LastError;
        TellLeaseEnded(name, message);
        var beforeItsTime = message.CallerUntil is not null && message.AvailableAt > data.Now;
        message.GiveBack(counts, workerStays: counts);
        if (counts)
        {
            if (message.Worker is { } worker)
            {
                _news.Add(listener => listener.OnWorkerFailed(name, worker));
            }

            queue.Counters = queue.Counters with { Failed = queue.Counters.Failed + 1 };
        }

        var ranOut = message.Attempt >= (message.New.MaxAttempts ?? queue.Settings.MaxAttempts);
        if (counts && (ranOut || request.DeadLetter) && !name.IsDeadLetter)
        {
            Bury(name, queue, message, request.DeadLetter ? "rejected" : "max-attempts");
            return;
        }

        var delay = request.Delay
            ?? (counts ? request.RetryDelayOf(message.New.RetryDelay, queue.Settings.RetryDelay).After(message.Attempt) : TimeSpan.Zero);
        if (!toTheFront && (request.AvailableAt is not null || delay > TimeSpan.Zero))
        {
            message.KeptPlace = message.Place;
        }

        if (request.AvailableAt is { } given && !toTheFront)
        {
            message.SetExactly(given, data.Now);
        }
        else if (delay > TimeSpan.Zero && !toTheFront)
        {
            SetAvailable(queue, message, data.Now + delay);
        }
        else if (beforeItsTime)
        {
            message.IsDue = false;
        }

        _news.Add(listener => listener.OnReady(name));
        if (message.ExpiresAt <= data.Now)
        {
            Expire(name, queue, message);
        }
    }

    private void Bury(QueueName name, ModelQueue queue, ModelMessage message, string reason)
    {
        queue.Live.Remove(message);
        TellFinished(name, message, reason);
        queue.Counters = queue.Counters with { DeadLettered = queue.Counters.DeadLettered + 1 };
        if (!queue.Settings.DeadLetter)
        {
            return;
        }

        message.DeadLetter = new DeadLetter(name, reason, message.Attempt, data.Now);
        message.TimeToLive = null;
        message.UniqueKey = null;
        message.KeptPlace = null;
        message.Attempt = 0;
        var dead = Make(name.DeadLetter);
        HasAmbiguousIds |= dead.FindLive(message.Id) is not null;
        SetAvailable(dead, message, data.Now);
        message.Arrival = ++data.LastArrival;
        dead.Live.Add(message);
        _news.Add(listener => listener.OnReady(name.DeadLetter));
    }

    private void Expire(QueueName name, ModelQueue queue, ModelMessage message)
    {
        queue.Live.Remove(message);
        queue.Counters = queue.Counters with { Expired = queue.Counters.Expired + 1 };
        TellFinished(name, message, "expired");
    }

    private void TellLeaseEnded(QueueName name, ModelMessage message)
    {
        if (message is { Receipt: { IsNone: false } receipt, Delivery: false })
        {
            _news.Add(listener => listener.OnLeaseEnded(name, message.Id, receipt));
        }
    }

    private void TellFinished(QueueName name, ModelMessage message, string? reason, Receipt receipt = default)
    {
        var outcome = new FinishedMessage(
            reason is null, message.Delivery ? null : message.Worker, message.Given, reason, Receipt: receipt);
        _news.Add(listener => listener.OnFinished(name, message.Id, outcome));
    }

    /// <summary>Lets happen, in the order of their times, what was due since the last operation.</summary>
    private void CatchUp()
    {
        var now = time.GetUtcNow();
        while (NextEventAtLocked() is { } due && due <= now)
        {
            QueueUp();
            data.Now = due;
            foreach (var (key, queue) in data.Queues.ToList())
            {
                var name = QueueName.Parse(key);
                foreach (var message in queue.Live.Where(message => message.Until <= due).OrderBy(message => message.Arrival).ToList())
                {
                    queue.UsedAt = due;
                    EndLease(name, queue, message, new ReleaseRequest(Error: "The lease ended."));
                }

                foreach (var message in queue.Live.Where(message => message.Receipt.IsNone && message.ExpiresAt <= due).ToList())
                {
                    Expire(name, queue, message);
                }

                foreach (var message in queue.Live.Where(message => !message.IsDue && message.AvailableAt <= due))
                {
                    message.IsDue = true;
                    queue.UsedAt = Later(queue.UsedAt, due);
                    _news.Add(listener => listener.OnReady(name));
                }

                queue.TrimHistory(due);
                EndWhereUnused(name, queue);
            }
        }

        data.Now = now;
    }

    private void QueueUp()
    {
        foreach (var queue in data.Queues.Values)
        {
            queue.QueueUp();
        }
    }

    private DateTimeOffset? NextEventAtLocked() => data.Queues.Values
        .SelectMany(queue => queue.Live.SelectMany(message => message.Receipt.IsNone
                ? new DateTimeOffset?[] { message.IsDue ? null : message.AvailableAt, message.ExpiresAt }
                : [message.Until])
            .Append(queue.UnusedAt < DateTimeOffset.MaxValue ? queue.UnusedAt : null)
            .Concat(queue.History.Take(1).Select(message => (DateTimeOffset?)(message.BroadcastAt + queue.Settings.HistoryAge))))
        .Where(at => at is not null)
        .Min();

    public ValueTask KeepAsync(QueueName queue, TimeSpan ahead)
    {
        _ = Do(() => NoteUse(queue, ahead));
        return ValueTask.CompletedTask;
    }

    /// <summary>An operation that counts as use of its queue.</summary>
    private ValueTask<T> Use<T>(QueueName queue, Func<T> operation) => Answer(() =>
    {
        var answer = operation();
        _ = NoteUse(queue, TimeSpan.Zero);
        return answer;
    });

    private bool NoteUse(QueueName queue, TimeSpan ahead)
    {
        if (Find(queue) is not { } found)
        {
            return false;
        }

        found.UsedAt = Later(found.UsedAt, data.Now + ahead);
        return true;
    }

    private void EndWhereUnused(QueueName name, ModelQueue queue)
    {
        if (queue.UnusedAt > data.Now)
        {
            return;
        }

        if (queue.Live.Exists(static message => message.State is MessageState.Delayed or MessageState.Leased) || _listener!.Uses(name))
        {
            queue.UsedAt = data.Now;
            return;
        }

        _ = data.Queues.Remove(name.Value);
        _news.Add(listener => listener.OnDeleted(name));
    }

    private ValueTask<T> Answer<T>(Func<T> operation) => ValueTask.FromResult(Do(operation));

    private T Do<T>(Func<T> operation)
    {
        T answer;
        List<Action<IQueueChangeListener>> news;
        lock (_lock)
        {
            CatchUp();
            answer = operation();
            QueueUp();
            news = [.. _news];
            _news.Clear();
            if (NextEventAtLocked() is { } next)
            {
                var wait = next - time.GetUtcNow();
                _timer?.Change(wait > TimeSpan.Zero ? wait : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
            }
        }

        news.ForEach(tell => tell(_listener!));
        return answer;
    }

    private ValueTask<IReadOnlyList<QueueError>> ForEach(
        QueueName queue, IReadOnlyList<LeaseKey> keys, Action<ModelQueue, ModelMessage> action, bool isUse = true) => Answer(() =>
    {
        _ = isUse && NoteUse(queue, TimeSpan.Zero);
        var answers = new List<QueueError>();
        foreach (var key in keys)
        {
            var found = Find(queue);
            var message = found?.FindLive(key.Id);
            var held = message is { Receipt.IsNone: false }
                && (message.Receipt == key.Receipt || (key.Receipt.IsNone && !message.Delivery));
            answers.Add(message is null ? QueueError.NotFound : held ? QueueError.None : QueueError.LeaseLost);
            if (held)
            {
                action(found!, message!);
            }
        }

        return (IReadOnlyList<QueueError>)answers;
    });

    private DateTimeOffset DataNow => data.Now;

    private IReadOnlyList<QueueName> SubscribersOf(QueueName queue) =>
    [
        .. data.Queues.Where(pair => pair.Key != queue.Value && pair.Value.Settings.Subscriptions.Fits(queue))
            .Select(pair => QueueName.Parse(pair.Key)),
    ];

    private ModelQueue? Find(QueueName queue) => data.Queues.GetValueOrDefault(queue.Value);

    private ModelQueue Make(QueueName queue)
    {
        if (Find(queue) is not { } found)
        {
            found = new ModelQueue($"epoch {++data.LastEpoch}") { HasKeys = !queue.IsDeadLetter };
            data.Queues.Add(queue.Value, found);
        }

        return found;
    }

    private static (int Priority, long AvailableAt, long Arrival) Order(ModelMessage message, MessageState state) =>
        (state == MessageState.Delayed ? 0 : -message.New.Priority, message.AvailableAt.UtcTicks, message.Arrival);

    private static List<ModelMessage> Within(int bytesMax, List<ModelMessage> messages, Func<ModelMessage, int> bytesOf)
    {
        var bytes = 0L;
        return [.. messages.TakeWhile((message, index) => (bytes += bytesOf(message)) <= bytesMax || index == 0)];
    }

    private static BrokerResult<IReadOnlyList<T>> Result<T>(IEnumerable<T> items) => new List<T>(items);

    private static DateTimeOffset Later(DateTimeOffset one, DateTimeOffset other) => one > other ? one : other;
}

/// <summary>The state that a <see cref="ModelMessageStore"/> keeps while it is closed.</summary>
internal sealed class ModelData
{
    public SortedDictionary<string, ModelQueue> Queues { get; } = new(StringComparer.Ordinal);

    /// <summary>The time of the operation, or of what happens by itself just now.</summary>
    public DateTimeOffset Now { get; set; }

    public long LastArrival { get; set; }

    public int LastEpoch { get; set; }

    public ulong LastReceipt { get; set; }
}

internal sealed class ModelQueue(string epoch)
{
    public QueueSettings Settings { get; set; } = QueueSettings.Default;

    public List<ModelMessage> Live { get; } = [];

    public List<ModelMessage> History { get; } = [];

    /// <summary>The newest broadcast message of each key; empty while the setting is off.</summary>
    public Dictionary<string, ModelMessage> Latest { get; } = new(StringComparer.Ordinal);

    public void NoteLatest(ModelMessage message)
    {
        if (Settings.HistoryPerKey && message.New.Key is { } key)
        {
            Latest.Remove(key);
            if (message.New.Body.Length > 0)
            {
                Latest.Add(key, message);
            }
        }
    }

    /// <summary>The setting has changed: from now on, and among what history holds.</summary>
    public void KeepLatest()
    {
        if (!Settings.HistoryPerKey)
        {
            Latest.Clear();
        }
        else if (Latest.Count == 0)
        {
            History.ForEach(NoteLatest);
        }
    }

    /// <summary>The messages that a subscription from the earliest copies, in that order.</summary>
    public IReadOnlyList<ModelMessage> Held() =>
        [.. Latest.Values.Except(History).OrderBy(message => message.Offset), .. History, .. Live.OrderBy(message => message.Arrival)];

    /// <summary>Every id that a client ever put, with the time of its put.</summary>
    public List<(MessageId Id, DateTimeOffset PutAt)> Known { get; } = [];

    public DateTimeOffset LastAvailableAt { get; set; }

    public DateTimeOffset UsedAt { get; set; }

    public DateTimeOffset UnusedAt => Settings.Expires is { Ticks: > 0 } expires ? UsedAt + expires : DateTimeOffset.MaxValue;

    public long NextNumber { get; set; } = 1;

    public long NextOffset { get; set; } = 1;

    public QueueCounters Counters { get; set; } = new();

    public BroadcastPosition Position => new(epoch, History.Count > 0 ? History[0].Offset : NextOffset, NextOffset);

    public IEnumerable<ModelMessage> Ready => Live
        .Where(message => message.State is MessageState.Ready or MessageState.Dead)
        .OrderByDescending(message => message.New.Priority).ThenBy(message => message.AvailableAt).ThenBy(message => message.Arrival);

    /// <summary>The keys in the order in which they are served where they take turns.</summary>
    private readonly List<string> _line = [];

    /// <summary>Whether the order of keys counts: dead letters only rest.</summary>
    public bool HasKeys { get; init; } = true;

    public IReadOnlyList<KeyInfo> Keys => !HasKeys ? [] :
        [.. Live.Where(message => message.New.Key is not null).GroupBy(message => message.New.Key!).Select(group => new KeyInfo(
            group.Key,
            group.Count(message => message.State == MessageState.Ready),
            group.Count(message => message.State == MessageState.Delayed),
            group.Count(message => message.State == MessageState.Leased),
            group.Any(message => message.State == MessageState.Ready) && Settings.KeyInFlight > 0
                && InFlight(group.Key) >= Settings.KeyInFlight,
            group.Where(message => message.State == MessageState.Ready).OrderBy(message => message.Place).ThenBy(message => message.Arrival)
                .FirstOrDefault()?.EnqueuedAt))];

    public IEnumerable<ModelMessage> DueBy(DateTimeOffset dueBy) => Live
        .Where(message => message.Receipt.IsNone && message.AvailableAt <= dueBy)
        .OrderBy(message => message.AvailableAt).ThenBy(message => message.Arrival);

    /// <summary>The message that is given out next, by the store's clock or by a caller's.</summary>
    public List<ModelMessage> Next(int count, Selection selection, bool isLease)
    {
        bool IsWanted(ModelMessage message) => selection.Filter?.Matches(message.New.Headers) != false;
        if (!Settings.Fair && !Live.Exists(message => message.New.Key is not null))
        {
            return [.. (selection.Time is { } by ? DueBy(by) : Ready)
                .Take(selection.Filter is null ? int.MaxValue : MessageFilter.SearchMax).Where(IsWanted).Take(count)];
        }

        // Keys do not take turns where a filter chooses.
        var chosen = new List<ModelMessage>();
        while (chosen.Count < count && (selection.Time is { } at ? DueBy(at) : selection.Filter is null ? InTurn(chosen) : Ready)
            .FirstOrDefault(message => MayGo(message, chosen, selection.Time is not null, isLease) && IsWanted(message)) is { } next)
        {
            chosen.Add(next);
        }

        return chosen;
    }

    /// <summary>
    /// Where keys take turns: whose turn it is, among those that have not been served since, by how long they have been in the line. The
    /// messages without a key are one key.
    /// </summary>
    private IEnumerable<ModelMessage> InTurn(List<ModelMessage> chosen) => !Settings.Fair || !HasKeys
        ? Ready
        : Ready.OrderByDescending(message => message.New.Priority)
            .ThenBy(message => chosen.FindLastIndex(other => other.New.Key == message.New.Key))
            .ThenBy(message => _line.IndexOf(message.New.Key ?? ""))
            .ThenBy(message => message.Place).ThenBy(message => message.Arrival);

    /// <summary>These keys were served, in that order: they go behind the others.</summary>
    public void Serve(IEnumerable<ModelMessage> messages)
    {
        foreach (var key in Settings.Fair ? messages.Select(message => message.New.Key ?? "") : [])
        {
            _line.Remove(key);
            QueueUp(key);
        }
    }

    /// <summary>Keys whose messages may be given out join the line; the others leave it.</summary>
    public void QueueUp()
    {
        _line.RemoveAll(key => !Settings.Fair || !IsOpen(key));
        if (!Settings.Fair)
        {
            return;
        }

        foreach (var message in Ready.OrderBy(message => message.AvailableAt).ThenBy(message => message.Arrival).ToList())
        {
            QueueUp(message.New.Key ?? "");
        }
    }

    private void QueueUp(string key)
    {
        if (!_line.Contains(key) && IsOpen(key))
        {
            _line.Add(key);
        }
    }

    private bool IsOpen(string key) => Ready.Any(message => (message.New.Key ?? "") == key)
        && (key.Length == 0 || Settings.KeyInFlight == 0 || InFlight(key) < Settings.KeyInFlight);

    /// <summary>Whether a message is the next one of its key, and not too many of the key are in flight.</summary>
    private bool MayGo(ModelMessage message, List<ModelMessage> chosen, bool byCaller, bool isLease)
    {
        if (chosen.Contains(message))
        {
            return false;
        }

        if (message.New.Key is not { } key || !HasKeys)
        {
            return true;
        }

        var chosenOfKey = chosen.Count(other => other.New.Key == key);
        var isBehind = Ready.Any(other => other.New.Key == key
            && !chosen.Contains(other)
            && (other.Place, other.Arrival).CompareTo((message.Place, message.Arrival)) < 0);
        if (isBehind || (byCaller && chosenOfKey > 0))
        {
            return false;
        }

        var others = InFlight(key) - (message.IsReturning ? 1 : 0) + (isLease ? chosenOfKey : 0);
        return Settings.KeyInFlight == 0 || others < Settings.KeyInFlight;
    }

    private int InFlight(string key) =>
        Live.Count(message => message.New.Key == key && (message.State == MessageState.Leased || message.IsReturning));

    public ModelMessage? FindLive(MessageId id) => Live.Find(message => message.Id == id);

    public bool Knows(MessageId id, DateTimeOffset now) =>
        FindLive(id) is not null
            || (Settings.DedupWindow > TimeSpan.Zero && Known.Exists(known => known.Id == id && known.PutAt + Settings.DedupWindow > now));

    public void TrimHistory(DateTimeOffset now)
    {
        // From its beginning only: history has no holes, whatever the clock did.
        History.RemoveRange(0, History.TakeWhile(message => message.BroadcastAt + Settings.HistoryAge <= now).Count());
        History.RemoveRange(0, Math.Max(0, History.Count - Settings.HistoryMessages));
    }

    public QueueInfo Info(QueueName name)
    {
        var ready = Ready.ToList();
        var delayed = Live.Where(message => message.State == MessageState.Delayed).ToList();
        return new QueueInfo
        {
            Name = name,
            Settings = Settings,
            Ready = ready.Count,
            Delayed = delayed.Count,
            Leased = Live.Count(message => message.State == MessageState.Leased),
            History = History.Count,
            Bytes = Live.Sum(message => (long)message.New.Body.Length),
            OldestReadyAt = ready.Count > 0 ? ready.Min(message => message.EnqueuedAt) : null,
            Keys = Keys.Count,
            BlockedKeys = Keys.Count(key => key.Blocked),
            NextDelayedAt = delayed.Count > 0 ? delayed.Min(message => message.AvailableAt) : null,
            Position = Position,
            Counters = Counters,
        };
    }
}

internal sealed class ModelMessage
{
    /// <summary>Its place in its key, where it was given back with a delay.</summary>
    public DateTimeOffset? KeptPlace { get; set; }

    /// <summary>Orders the messages of a key.</summary>
    public DateTimeOffset Place => KeptPlace ?? AvailableAt;

    /// <summary>Whether it waits to be tried again, and its key with it.</summary>
    public bool IsReturning => KeptPlace is not null && State == MessageState.Delayed;

    public required MessageId Id { get; init; }

    public required NewMessage New { get; init; }

    public required DateTimeOffset EnqueuedAt { get; init; }

    public long Arrival { get; set; }

    public DateTimeOffset AvailableAt { get; set; }

    public TimeSpan? TimeToLive { get; set; }

    public DateTimeOffset? ExpiresAt => AvailableAt + TimeToLive;

    public Receipt Receipt { get; set; }

    public DateTimeOffset? Until { get; set; }

    /// <summary>When the lease ends by the clock of the caller who took it by that.</summary>
    public DateTimeOffset? CallerUntil { get; set; }

    public bool Delivery { get; set; }

    public int Attempt { get; set; }

    /// <summary>How often it was given out: a delivery counts as such only while it lasts.</summary>
    public int Given => Delivery ? Attempt + 1 : Attempt;

    public int Looks { get; set; }

    public string? Worker { get; set; }

    public string? WorkerBefore { get; set; }

    public string? LastError { get; set; }

    /// <summary>Gone with the first dead-lettering: the key is free then.</summary>
    public string? UniqueKey { get; set; }

    public string? TraceParent { get; init; }

    public DeadLetter? DeadLetter { get; set; }

    public long Offset { get; set; }

    public DateTimeOffset BroadcastAt { get; set; }

    /// <summary>Whether its time has come. Once true it stays so, though the clock step back.</summary>
    public bool IsDue { get; set; }

    public MessageState State =>
        !Receipt.IsNone ? MessageState.Leased
        : !IsDue ? MessageState.Delayed
        : DeadLetter is not null ? MessageState.Dead : MessageState.Ready;

    /// <summary>Ends the lease, if there is one.</summary>
    public void GiveBack(bool attemptCounts, bool workerStays)
    {
        if (!Receipt.IsNone)
        {
            Attempt -= attemptCounts || Delivery ? 0 : 1;
            Worker = workerStays ? Worker : WorkerBefore;
        }

        Receipt = default;
        Until = null;
        CallerUntil = null;
        Delivery = false;
    }

    /// <summary>Available from that time, though it be past.</summary>
    public void SetExactly(DateTimeOffset at, DateTimeOffset now)
    {
        AvailableAt = at;
        IsDue = at <= now;
    }

    public Message Snapshot(QueueName queue, int? attempt = null) => new()
    {
        Queue = queue,
        Id = Id,
        Body = New.Body,
        ContentType = New.ContentType,
        State = State,
        EnqueuedAt = EnqueuedAt,
        AvailableAt = AvailableAt,
        ExpiresAt = ExpiresAt,
        Priority = New.Priority,
        Attempt = attempt ?? Attempt,
        UniqueKey = UniqueKey,
        Key = New.Key,
        Headers = New.Headers,
        TraceParent = TraceParent,
        Offset = Offset,
        Looks = Looks,
        LeasedUntil = Until,
        LastError = LastError,
        LastWorker = Worker,
        DeadLetter = DeadLetter,
    };
}
