using System.Runtime.InteropServices;
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
    private Dictionary<long, StoredMessage> _bySequence = [];
    private Dictionary<string, StoredMessage> _byClientId = new(StringComparer.Ordinal);
    private Dictionary<string, StoredMessage> _byUniqueKey = new(StringComparer.Ordinal);
    private ReadyMessages _ready = new();
    private readonly SortedSet<StoredMessage> _delayed = new(DeliveryOrder.Instance);
    private readonly LeasedMessages _leased = new();
    private readonly SortedSet<StoredMessage> _expiring = new(ExpiryOrder.Instance);
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
    private long _pendingBytes;
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

    /// <summary>Owned by <see cref="DueTimers"/>, under its lock: when the queue's next sweep is; never is <see cref="long.MaxValue"/>.</summary>
    public long ScheduledForMs { get; set; } = long.MaxValue;

    /// <summary>Owned by <see cref="DueTimers"/>: how many sweeps in a row have failed.</summary>
    public int FailedSweeps { get; set; }

    public long Number { get; }

    /// <summary>Set once; recovery may learn it after the first messages.</summary>
    public QueueName Name { get; private set; }

    private int LiveLocked => _ready.Count + _delayed.Count + _leased.Count + _pending;

    public static string NewEpoch() => Receipt.New().ToString()[..8];

    /// <summary>Removes the next ready messages.</summary>
    public BrokerResult<GivenMessages> Take(int count, int bytesMax, bool evenWhenStopped, DateTimeOffset? dueBy)
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

            given = new GivenMessages(this, _services.Clock);
            if (!_deleted)
            {
                TakeLocked(count, bytesMax, FromWall(dueBy), given);
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
            var now = _services.NowMs();
            EndOrphanedLeasesLocked(now);
            AdvanceLocked(now);
            if (_nextDueMs != long.MaxValue && !_deleted)
            {
                _services.Timers.Schedule(this, _nextDueMs);
            }
        }

        TellNews();
    }

    public void OnCommitted(Segment segment, ReadOnlySpan<LocatedMessage> messages)
    {
        try
        {
            ShowCommitted(segment, messages);
        }
        catch (Exception e)
        {
            // A border: the log's thread serves all queues.
            _services.CommitFaults.Report(Name, e);
        }

        TellNews();
    }

    public void OnRefused(ReadOnlySpan<LocatedMessage> messages)
    {
        try
        {
            ForgetRefused(messages);
        }
        catch (Exception e)
        {
            // A border: the log's thread serves all queues.
            _services.CommitFaults.Report(Name, e);
        }
    }

    private void ShowCommitted(Segment segment, ReadOnlySpan<LocatedMessage> messages)
    {
        lock (_gate)
        {
            var shown = false;
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
                    shown = true;
                }
                else if (message.Details is { KnownUntilMs: > 0 } && message.ClientId is not null)
                {
                    _knownIds.Relocate(message.ClientId, segment);
                }
            }

            if (shown)
            {
                DropOldestLocked();
            }
        }
    }

    private void ForgetRefused(ReadOnlySpan<LocatedMessage> messages)
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

        if (news is not null)
        {
            _ = _services.NotificationFaults.Try(Name, (news, _services.Listener), static state => state.news.Tell(state.Listener));
        }
    }

    private long? FromWall(DateTimeOffset? time) => time is { } given ? _services.Clock.FromWall(given) : null;

    private QueueNews NewsLocked() => _news ??= new QueueNews(this);

    private void TakeLocked(int count, int bytesMax, long? dueByMs, GivenMessages given)
    {
        // hot path: a take of one makes no list.
        if (PeekLocked(dueByMs) is not { } first)
        {
            return;
        }

        var taken = count == 1 ? null : new List<StoredMessage>(Math.Min(count, _ready.Count + 1));
        var bytes = 0L;
        for (var message = first; message is not null; message = given.Count < count ? PeekLocked(dueByMs) : null)
        {
            bytes += message.BodyLength;
            if (given.Count > 0 && bytes > bytesMax)
            {
                break;
            }

            PopLocked(message, dueByMs);
            taken?.Add(message);
            given.Add(message, attempt: message.Attempts + 1, Name);
        }

        var span = taken is null ? [first] : CollectionsMarshal.AsSpan(taken);
        if (!given.LacksBodies)
        {
            TakenLocked(span, given);
            return;
        }

        // A message is only gone once its body has been read; until then its take is a lease that no crash can keep.
        for (var i = 0; i < span.Length; i++)
        {
            _leased.Add(span[i], new LeaseDetails(Receipt.New(), long.MaxValue, Worker: null, Delivery: true));
            given.AddReceipt(i, span[i].Lease!);
        }

        if (dueByMs is null)
        {
            given.ReadAhead(_ready);
        }
    }

    /// <summary>
    /// Completes a take whose bodies had to be read: the messages are gone. What was cancelled meanwhile is left out of what is given. A failed
    /// read puts all of them back.
    /// </summary>
    public void FinishTake(GivenMessages given, bool failed)
    {
        lock (_gate)
        {
            var now = _services.NowMs();
            AdvanceLocked(now);
            var taken = new List<StoredMessage>(given.Count);
            for (var i = given.Leases.Count - 1; i >= 0; i--)
            {
                var lease = given.Leases[i];
                if (FindLeasedLocked(new LeaseKey(lease.Message.Id, lease.Receipt), out var message) != QueueError.None)
                {
                    given.LeaveOut(lease.Message);
                    continue;
                }

                _leased.Remove(message!);
                if (failed)
                {
                    ReturnLocked(message!, message!.AvailableAtMs > now);
                }
                else
                {
                    taken.Add(message!);
                }
            }

            taken.Reverse();
            if (taken.Count > 0)
            {
                TakenLocked(CollectionsMarshal.AsSpan(taken), given);
            }
        }

        TellNews();
    }

    private void TakenLocked(ReadOnlySpan<StoredMessage> taken, GivenMessages given)
    {
        using (var appender = _services.Log.BeginAppend(writesItself: true))
        {
            appender.Removed(Number, taken);
            given.Batch = appender.Batch;
        }

        foreach (var message in taken)
        {
            _counters.Delivered++;
            ForgetLocked(message);
            NewsOfEndLocked(message, acked: true, worker: null, message.Attempts + 1, reason: null);
        }
    }

    /// <summary>A put that was told to wait for the message's end learns of it.</summary>
    private void NewsOfEndLocked(StoredMessage message, bool acked, string? worker, int attempts, string? reason, Receipt receipt = default) =>
        NewsLocked().Finished(message.Id, new FinishedMessage(acked, worker, attempts, reason, Receipt: receipt));

    private StoredMessage? FindLocked(MessageId id)
    {
        if (id.IsNumber && _bySequence.TryGetValue(id.Number, out var numbered) && numbered.ClientId is null)
        {
            return numbered;
        }

        return _byClientId.Count == 0 ? null : _byClientId.GetValueOrDefault(id.ToString());
    }

    private StoredMessage? FindVisibleLocked(MessageId id) => FindLocked(id) is { Place: not MessagePlace.Pending } message ? message : null;

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
        _services.CountLive(1, message.BodyLength);
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

        if (message.ExpiresAtMs > 0)
        {
            _expiring.Remove(message);
        }

        _bytes -= message.BodyLength;
        if (!_deleted)
        {
            // Else they were counted off together.
            _services.CountLive(-1, -message.BodyLength);
        }
    }

    private void ForgetPendingLocked(StoredMessage message)
    {
        message.Place = MessagePlace.Gone;
        message.Body = null;
        _pending--;
        _pendingBytes -= message.BodyLength;
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
        _pendingBytes -= message.BodyLength;
        _counters.Put++;
        _counters.Failed += message.PutBack ? 1 : 0;
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
}
