using System.Globalization;
using PushQueue.Queues;
using PushQueue.Storage.Embedded.Log;

namespace PushQueue.Storage.Embedded;

/// <summary>
/// One queue: its state machine, under its own lock. Every method takes the lock, changes memory, appends the records of the change to the
/// log and returns the batch to await; none does I/O or awaits. Called by <see cref="EmbeddedMessageStore"/>, the log's thread (commits) and
/// the due timers. Lock order: a queue, then its dead-letter queue, then the log.
/// </summary>
internal sealed partial class EmbeddedQueue : ILogOwner
{
    /// <summary>How much one pass over due messages does before it lets others in.</summary>
    private const int SweepMax = 10_000;

    private readonly Lock _gate = new();
    private readonly StoreServices _services;
    private readonly Dictionary<long, StoredMessage> _bySequence = [];
    private readonly Dictionary<string, StoredMessage> _byClientId = new(StringComparer.Ordinal);
    private readonly Dictionary<string, StoredMessage> _byUniqueKey = new(StringComparer.Ordinal);
    private readonly ReadyMessages _ready = new();
    private readonly SortedSet<StoredMessage> _delayed = new(DeliveryOrder.Instance);
    private readonly SortedSet<StoredMessage> _leased = new(LeaseEndOrder.Instance);
    private readonly PriorityQueue<StoredMessage, long> _expiring = new();
    private readonly KnownIds _knownIds;
    private readonly MutableCounters _counters = new();
    private QueueSettings _settings;
    private string _epoch;
    private QueueNews? _news;
    private LogBatch? _lastPut;
    private long _nextSequence = 1;
    private long _nextOffset = 1;
    private long _lastAvailableMs;
    private long _nextDueMs = long.MaxValue;
    private long _bytes;
    private int _pending;
    private bool _deleted;

    public EmbeddedQueue(StoreServices services, long number, QueueName name, string epoch, QueueSettings settings)
    {
        _services = services;
        _knownIds = new KnownIds(services);
        _epoch = epoch;
        _settings = settings;
        Number = number;
        Name = name;
    }

    public long Number { get; }

    public QueueName Name { get; }

    private int LiveLocked => _ready.Count + _delayed.Count + _leased.Count + _pending;

    public static string NewEpoch() => Receipt.New().ToString()[..8];

    /// <summary>Null where the queue was deleted meanwhile: look it up again.</summary>
    public BrokerResult<PutTicket>? Put(NewMessage message)
    {
        lock (_gate)
        {
            if (_deleted)
            {
                return null;
            }

            var now = _services.NowMs();
            AdvanceLocked(now);
            if (FindKnownLocked(message.Id, out var pending) is { } known)
            {
                return new PutTicket(known, Duplicate: true, pending ? _lastPut : null);
            }

            if (AdmitLocked(message, now, out var failure) is not { } stored)
            {
                return failure;
            }

            using var appender = _services.Log.BeginAppend();
            MakeRoomLocked(appender);
            appender.Message(this, Number, stored, stored.Body);
            _lastPut = appender.Batch;
            return new PutTicket(stored.Id, Duplicate: false, appender.Batch);
        }
    }

    /// <summary>All or none. Null where the queue was deleted meanwhile.</summary>
    public BrokerResult<PutManyTicket>? PutMany(IReadOnlyList<NewMessage> messages)
    {
        lock (_gate)
        {
            if (_deleted)
            {
                return null;
            }

            var now = _services.NowMs();
            AdvanceLocked(now);
            var outcomes = new PutOutcome[messages.Count];
            var admitted = new List<StoredMessage>(messages.Count);
            var anyPending = false;
            for (var i = 0; i < messages.Count; i++)
            {
                if (FindKnownLocked(messages[i].Id, out var pending) is { } known)
                {
                    anyPending |= pending;
                    outcomes[i] = new PutOutcome(known, Duplicate: true);
                    continue;
                }

                if (AdmitLocked(messages[i], now, out var failure) is not { } stored)
                {
                    admitted.ForEach(ForgetPendingLocked);
                    return failure with { Detail = $"{failure.Detail} (message {i + 1} of the batch; nothing was stored)" };
                }

                admitted.Add(stored);
                outcomes[i] = new PutOutcome(stored.Id, Duplicate: false);
            }

            if (admitted.Count == 0)
            {
                return new PutManyTicket(outcomes, anyPending ? _lastPut : null);
            }

            using var appender = _services.Log.BeginAppend();
            MakeRoomLocked(appender);
            appender.Messages(this, Number, System.Runtime.InteropServices.CollectionsMarshal.AsSpan(admitted));
            _lastPut = appender.Batch;
            return new PutManyTicket(outcomes, appender.Batch);
        }
    }

    /// <summary>Whether a put with this id would be a duplicate. Asked again after a wait for a pending message, which may have failed.</summary>
    public bool Knows(MessageId id)
    {
        lock (_gate)
        {
            return FindKnownLocked(id, out _) is not null;
        }
    }

    /// <summary>Removes the next ready messages.</summary>
    public BrokerResult<GivenMessages> Take(int count, bool evenWhenStopped)
    {
        GivenMessages given;
        lock (_gate)
        {
            var now = _services.NowMs();
            AdvanceLocked(now);
            if (_settings.Stopped && !evenWhenStopped)
            {
                return new BrokerFailure(QueueError.QueueStopped);
            }

            given = new GivenMessages(this);
            if (_ready.Count > 0 && !_deleted)
            {
                TakeLocked(Math.Min(count, _ready.Count), given);
            }
        }

        TellNews();
        return given;
    }

    /// <summary>Called by the timers: what is due becomes ready, ends or expires.</summary>
    public void Sweep()
    {
        lock (_gate)
        {
            AdvanceLocked(_services.NowMs());
            if (_nextDueMs != long.MaxValue && !_deleted)
            {
                _services.Timers.Schedule(this, _nextDueMs);
            }
        }

        TellNews();
    }

    public void OnCommitted(Segment segment, ReadOnlySpan<LocatedMessage> messages)
    {
        lock (_gate)
        {
            foreach (ref readonly var located in messages)
            {
                var message = located.Message;
                message.CarriedTo = null;
                if (message.Place == MessagePlace.Gone || _deleted)
                {
                    continue;
                }

                if (message.Segment is { } old)
                {
                    _services.ReleaseLive(old, message.RecordLength);
                }

                message.Segment = segment;
                message.RecordOffset = located.RecordOffset;
                message.RecordLength = located.RecordLength;
                segment.AddLive(located.RecordLength);
                if (message.Place == MessagePlace.Pending)
                {
                    ShowLocked(message);
                }
                else if (message.Details is { KnownUntilMs: > 0 } && message.ClientId is not null)
                {
                    _knownIds.Relocate(message.ClientId, segment);
                }
            }
        }

        TellNews();
    }

    public void OnRefused(ReadOnlySpan<LocatedMessage> messages)
    {
        lock (_gate)
        {
            foreach (ref readonly var located in messages)
            {
                located.Message.CarriedTo = null;
                if (located.Message.Place == MessagePlace.Pending)
                {
                    ForgetPendingLocked(located.Message);
                }
            }
        }
    }

    /// <summary>Passes on what happened under the lock. Called without it.</summary>
    public void TellNews()
    {
        if (Volatile.Read(ref _news) is null)
        {
            return;
        }

        QueueNews? news;
        lock (_gate)
        {
            news = _news;
            _news = null;
        }

        news?.Tell(_services.Listener);
    }

    private QueueNews NewsLocked() => _news ??= new QueueNews(Name);

    private void TakeLocked(int count, GivenMessages given)
    {
        var taken = new StoredMessage[count];
        for (var i = 0; i < count; i++)
        {
            var message = _ready.Pop()!;
            taken[i] = message;
            given.Add(message, attempt: message.Attempts + 1, Name);
        }

        given.ReadAhead(_ready);
        using (var appender = _services.Log.BeginAppend())
        {
            appender.Removed(Number, taken);
            given.Batch = appender.Batch;
        }

        foreach (var message in taken)
        {
            _counters.Delivered++;
            ForgetLocked(message);
            NewsOfEndLocked(message, acked: true, message.Details?.LastWorker, message.Attempts + 1, reason: null);
        }
    }

    /// <summary>A put that was told to wait for the message's end learns of it.</summary>
    private void NewsOfEndLocked(StoredMessage message, bool acked, string? worker, int attempts, string? reason) =>
        NewsLocked().Finished(message.Id, new FinishedMessage(acked, worker, attempts, reason));

    /// <summary>The id under which a message is known, where it is live, about to be, or within the dedup window.</summary>
    private MessageId? FindKnownLocked(MessageId? id, out bool pending)
    {
        pending = false;
        if (id is not { } wanted)
        {
            return null;
        }

        if (FindLocked(wanted) is { } message)
        {
            pending = message.Place == MessagePlace.Pending;
            return wanted;
        }

        return _knownIds.Contains(wanted.ToString()) ? wanted : null;
    }

    private StoredMessage? FindLocked(MessageId id)
    {
        if (id.IsNumber && _bySequence.TryGetValue(id.Number, out var numbered) && numbered.ClientId is null)
        {
            return numbered;
        }

        return _byClientId.Count == 0 ? null : _byClientId.GetValueOrDefault(id.ToString());
    }

    private StoredMessage? FindVisibleLocked(MessageId id) => FindLocked(id) is { Place: not MessagePlace.Pending } message ? message : null;

    /// <summary>Checks the rules and indexes the message as pending; null with the failure where a rule forbids it.</summary>
    private StoredMessage? AdmitLocked(NewMessage message, long now, out BrokerFailure failure)
    {
        failure = default;
        if (message.UniqueKey is { } key && _byUniqueKey.ContainsKey(key))
        {
            failure = new BrokerFailure(QueueError.UniqueKeyTaken, $"A message with the unique key '{key}' still waits in queue '{Name}'.");
            return null;
        }

        if (IsFullFor(message.Body.Length, out failure))
        {
            return null;
        }

        var stored = NewStoredLocked(message, now);
        IndexLocked(stored);
        _pending++;
        return stored;
    }

    private bool IsFullFor(int bytes, out BrokerFailure failure)
    {
        failure = default;
        if (_settings.Overflow == FullQueuePolicy.DropOldest)
        {
            return false;
        }

        if (_settings.MaxMessages is { } messagesMax && LiveLocked + 1 > messagesMax)
        {
            failure = new BrokerFailure(QueueError.QueueFull, $"Queue '{Name}' holds its maxMessages of {messagesMax}; try again when some were taken.");
            return true;
        }

        if (_settings.MaxBytes is { } bytesMax && _bytes + bytes > bytesMax)
        {
            failure = new BrokerFailure(QueueError.QueueFull, $"Queue '{Name}' holds its maxBytes of {bytesMax}; try again when some were taken.");
            return true;
        }

        return false;
    }

    /// <summary>Under drop-oldest, the oldest ready messages go until the new ones fit.</summary>
    private void MakeRoomLocked(LogAppender appender)
    {
        if (_settings.Overflow != FullQueuePolicy.DropOldest || (_settings.MaxMessages is null && _settings.MaxBytes is null))
        {
            return;
        }

        while (_ready.Count > 0 && (LiveLocked > (_settings.MaxMessages ?? long.MaxValue) || _bytes > (_settings.MaxBytes ?? long.MaxValue)))
        {
            var oldest = _ready.Pop()!;
            appender.Removed(Number, [oldest]);
            _counters.Dropped++;
            ForgetLocked(oldest);
            NewsOfEndLocked(oldest, acked: false, worker: null, oldest.Attempts, "dropped because the queue was full");
        }
    }

    private StoredMessage NewStoredLocked(NewMessage message, long now)
    {
        var availableAt = message.AvailableAt?.ToUnixTimeMilliseconds() ?? 0;
        var delayed = availableAt > now;
        if (!delayed)
        {
            _lastAvailableMs = Math.Max(_lastAvailableMs, now);
            availableAt = _lastAvailableMs;
        }

        var clientId = message.Id?.ToString();
        var knownUntil = clientId is not null && _settings.DedupWindow > TimeSpan.Zero ? now + (long)_settings.DedupWindow.TotalMilliseconds : 0;
        var hasDetails = message.UniqueKey is not null || message.MaxAttempts is not null || message.RetryDelay is not null || knownUntil > 0;
        return new StoredMessage
        {
            Sequence = NextSequenceLocked(clientId),
            ClientId = clientId,
            ContentType = ContentTypes.Share(message.ContentType),
            EnqueuedAtMs = now,
            AvailableAtMs = availableAt,
            ExpiresAtMs = message.TimeToLive is { } ttl ? now + (long)ttl.TotalMilliseconds : 0,
            Priority = (byte)message.Priority,
            BodyLength = message.Body.Length,
            Body = OwnedBody(message.Body),
            Place = MessagePlace.Pending,
            BecomesDelayed = delayed,
            Details = hasDetails
                ? new MessageDetails
                {
                    UniqueKey = message.UniqueKey,
                    MaxAttempts = message.MaxAttempts,
                    RetryDelay = message.RetryDelay,
                    KnownUntilMs = knownUntil,
                }
                : null,
        };
    }

    /// <summary>The body's own array where it fills one; copying what the front door already copied once would be waste.</summary>
    private static byte[] OwnedBody(ReadOnlyMemory<byte> body) =>
        System.Runtime.InteropServices.MemoryMarshal.TryGetArray(body, out var segment)
        && segment is { Offset: 0, Array: { } array }
        && array.Length == segment.Count
            ? array
            : body.ToArray();

    /// <summary>The next number that is nobody's id.</summary>
    private long NextSequenceLocked(string? clientId)
    {
        while (clientId is null && (_byClientId.Count > 0 || _knownIds.Count > 0))
        {
            var text = _nextSequence.ToString(CultureInfo.InvariantCulture);
            if (!_byClientId.ContainsKey(text) && !_knownIds.Contains(text))
            {
                break;
            }

            _nextSequence++;
        }

        return _nextSequence++;
    }

    private void IndexLocked(StoredMessage message)
    {
        _bySequence.Add(message.Sequence, message);
        if (message.ClientId is not null)
        {
            _byClientId[message.ClientId] = message;
        }

        if (message.Details?.UniqueKey is { } key)
        {
            _byUniqueKey[key] = message;
        }

        _bytes += message.BodyLength;
    }

    private void UnindexLocked(StoredMessage message)
    {
        _bySequence.Remove(message.Sequence);
        if (message.ClientId is not null)
        {
            _byClientId.Remove(message.ClientId);
        }

        if (message.Details?.UniqueKey is { } key)
        {
            _byUniqueKey.Remove(key);
        }

        _bytes -= message.BodyLength;
    }

    private void ForgetPendingLocked(StoredMessage message)
    {
        message.Place = MessagePlace.Gone;
        message.Body = null;
        _pending--;
        UnindexLocked(message);
    }

    /// <summary>The message, already out of its ordering, is gone: its removal has been recorded.</summary>
    private void ForgetLocked(StoredMessage message)
    {
        message.Place = MessagePlace.Gone;
        UnindexLocked(message);
        _services.Cache.Release(message);
        _services.ReleaseLive(message.Segment!, message.RecordLength);
    }

    /// <summary>The put is durable: the message becomes visible.</summary>
    private void ShowLocked(StoredMessage message)
    {
        _pending--;
        _counters.Put++;
        _services.Cache.KeepIfRoom(message);
        if (message.Details is { KnownUntilMs: > 0 } details)
        {
            _knownIds.Add(message.ClientId!, details.KnownUntilMs, message.Segment!);
            NoteDueLocked(details.KnownUntilMs);
        }

        PlaceLocked(message, message.BecomesDelayed);
    }

    /// <summary>Puts a visible message among the ready or the delayed ones.</summary>
    private void PlaceLocked(StoredMessage message, bool delayed)
    {
        if (message.ExpiresAtMs > 0)
        {
            _expiring.Enqueue(message, message.ExpiresAtMs);
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
}

/// <summary>What to await and answer after a put.</summary>
internal readonly record struct PutTicket(MessageId Id, bool Duplicate, LogBatch? Batch);

/// <summary>What to await and answer after a batch put.</summary>
internal readonly record struct PutManyTicket(PutOutcome[] Outcomes, LogBatch? Batch);
