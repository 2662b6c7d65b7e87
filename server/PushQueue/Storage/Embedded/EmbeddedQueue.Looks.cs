using System.Globalization;
using System.Runtime.InteropServices;
using PushQueue.Queues;
using PushQueue.Storage.Embedded.Log;

namespace PushQueue.Storage.Embedded;

internal sealed partial class EmbeddedQueue
{
    // A page is read and written as a whole; a thousand of the largest messages would be gigabytes at once.
    private const long PageBytesMax = 16 * 1024 * 1024;

    public GivenMessages Look()
    {
        var given = new GivenMessages(this, _services.Clock);
        lock (_gate)
        {
            AdvanceLocked(_services.NowMs());
            if (_ready.Peek() is { } message)
            {
                message.EnsureDetails().Looks++;
                given.Add(message, message.Attempts, Name);
            }
        }

        TellNews();
        return given;
    }

    public GivenMessages Find(MessageId id)
    {
        var given = new GivenMessages(this, _services.Clock);
        lock (_gate)
        {
            AdvanceLocked(_services.NowMs());
            if (FindVisibleLocked(id) is { } message)
            {
                given.Add(message, message.Attempts, Name);
            }
        }

        TellNews();
        return given;
    }

    /// <param name="state">Which messages.</param>
    /// <param name="after">The <paramref name="next"/> of the page before; null for the first page.</param>
    /// <param name="limit">At most this many; fewer where their bodies would be more than <see cref="PageBytesMax"/>, but at least one.</param>
    /// <param name="next">What to ask for the next page with; null on the last.</param>
    /// <returns>Null where <paramref name="after"/> is not of this method's making.</returns>
    public GivenMessages? Browse(MessageState state, string? after, int limit, out string? next)
    {
        next = null;
        if (!PageKey.TryParse(after, out var key))
        {
            return null;
        }

        var given = new GivenMessages(this, _services.Clock);
        lock (_gate)
        {
            AdvanceLocked(_services.NowMs());
            StoredMessage? last = null;
            var bytes = 0L;
            foreach (var message in OfStateLocked(state, after is null ? null : key.ToPlace()))
            {
                // Where the page before ended, its last message may still stand.
                if (!PageKey.Of(message).IsBehind(key))
                {
                    continue;
                }

                bytes += message.BodyLength;
                if (given.Count == limit || (given.Count > 0 && bytes > PageBytesMax))
                {
                    next = PageKey.Of(last!).ToString();
                    break;
                }

                given.Add(message, message.Attempts, Name);
                last = message;
            }
        }

        TellNews();
        return given;
    }

    /// <summary>The last of the ready messages, the very last first.</summary>
    public IReadOnlyList<MessageId> Newest(int count)
    {
        List<MessageId> newest;
        lock (_gate)
        {
            AdvanceLocked(_services.NowMs());
            newest = [.. _ready.InReverse().Take(count).Select(static message => message.Id)];
        }

        TellNews();
        return newest;
    }

    /// <summary>Whether a text is the end of an earlier page, of whichever queue.</summary>
    public static bool IsPlace(string? after) => PageKey.TryParse(after, out _);

    /// <summary>Removes a live message. The batch is null where there is none.</summary>
    public bool Cancel(MessageId id, out LogBatch? batch)
    {
        batch = null;
        lock (_gate)
        {
            AdvanceLocked(_services.NowMs());
            if (FindVisibleLocked(id) is not { } message)
            {
                return false;
            }

            batch = CancelLocked([message]);
        }

        TellNews();
        return true;
    }

    /// <summary>Removes live messages of any state, the next ready ones first. The batch is null where there are none.</summary>
    /// <returns>How many.</returns>
    public int Purge(int count, out LogBatch? batch)
    {
        batch = null;
        List<StoredMessage> messages;
        lock (_gate)
        {
            AdvanceLocked(_services.NowMs());
            messages = [.. _ready.InOrder().Concat(_delayed).Concat(_leased.InOrder()).Take(_deleted ? 0 : count)];
            if (messages.Count > 0)
            {
                batch = CancelLocked(messages);
            }
        }

        TellNews();
        return messages.Count;
    }

    private LogBatch CancelLocked(List<StoredMessage> messages)
    {
        foreach (var message in messages)
        {
            if (message.Lease is { } lease)
            {
                NewsLocked().LeasedCancelled(message.Id, lease.Receipt);
            }

            LeaveOrderLocked(message);
        }

        LogBatch batch;
        using (var appender = _services.Log.BeginAppend())
        {
            appender.Removed(Number, CollectionsMarshal.AsSpan(messages));
            appender.Batch.NeedsSync = true;
            batch = appender.Batch;
        }

        foreach (var message in messages)
        {
            _counters.Cancelled++;
            ForgetLocked(message);
            NewsOfEndLocked(message, acked: false, message.Details?.LastWorker, message.Attempts, "cancelled");
        }

        return batch;
    }

    /// <summary>Makes a live message available at another time; a lease that it has ends. The batch is null where there is none.</summary>
    public bool Reschedule(MessageId id, DateTimeOffset availableAt, out LogBatch? batch)
    {
        batch = null;
        lock (_gate)
        {
            var now = _services.NowMs();
            AdvanceLocked(now);
            if (FindVisibleLocked(id) is not { } message)
            {
                return false;
            }

            if (message.Lease is { } lease)
            {
                // Its worker is told to stop as after a cancel, although the message stays.
                NewsLocked().LeasedCancelled(message.Id, lease.Receipt);
                if (!lease.Delivery)
                {
                    NewsLocked().LeaseEnded(message.Id, lease.Receipt);
                }
            }

            var moved = message.Place == MessagePlace.Ready ? ReplacementLocked(message) : message;
            if (moved == message)
            {
                LeaveOrderLocked(message);
            }

            var at = _services.Clock.FromWall(availableAt);
            MoveInTimeLocked(moved, at > now ? at : _lastAvailableMs = Math.Max(_lastAvailableMs, now));
            ReturnLocked(moved, delayed: at > now);
            using var appender = _services.Log.BeginAppend();
            appender.Changed(Number, moved);
            appender.Batch.NeedsSync = true;
            batch = appender.Batch;
        }

        TellNews();
        return true;
    }

    public QueueInfo? Info()
    {
        QueueInfo info;
        lock (_gate)
        {
            if (_deleted)
            {
                return null;
            }

            AdvanceLocked(_services.NowMs());
            info = new QueueInfo
            {
                Name = Name,
                Settings = _settings,
                Ready = _ready.Count,
                Delayed = _delayed.Count,
                Leased = _leased.Count,
                History = _history.Count,
                Bytes = _bytes,
                OldestReadyAt = _ready.PeekOldest() is { } oldest ? _services.Clock.ToWall(oldest.EnqueuedAtMs) : null,
                NextDelayedAt = _delayed.Count > 0 ? _services.Clock.ToWall(_delayed.Min!.AvailableAtMs) : null,
                Position = PositionLocked(),
                Counters = _counters.Snapshot(),
            };
        }

        TellNews();
        return info;
    }

    /// <summary>A body that was read ahead.</summary>
    public void KeepBody(StoredMessage message, byte[] body)
    {
        lock (_gate)
        {
            if (message.Place == MessagePlace.Ready && message.Body is null)
            {
                _services.Cache.KeepIfRoom(message, body);
            }
        }
    }

    private IEnumerable<StoredMessage> OfStateLocked(MessageState state, StoredMessage? from) => state switch
    {
        MessageState.Ready => _ready.InOrder(from),
        MessageState.Dead when !Name.IsDeadLetter => [],
        MessageState.Dead => _ready.InOrder(from).Where(static message => message.Details?.DeadLetter is not null),
        MessageState.Delayed => _delayed.From(from),
        _ => _leased.InOrder(from),
    };

    private void LeaveOrderLocked(StoredMessage message)
    {
        switch (message.Place)
        {
            case MessagePlace.Ready:
                _ready.Remove(message);
                break;
            case MessagePlace.Delayed:
                _delayed.Remove(message);
                break;
            case MessagePlace.Leased:
                _leased.Remove(message);
                break;
        }
    }

    /// <summary>A ready message cannot leave its ring and come back as the same object (<see cref="ReadyMessages.Remove"/>).</summary>
    private StoredMessage ReplacementLocked(StoredMessage message)
    {
        _ready.Remove(message);
        UnindexLocked(message);
        var replacement = new StoredMessage
        {
            Sequence = message.Sequence,
            ClientId = message.ClientId,
            ContentType = message.ContentType,
            EnqueuedAtMs = message.EnqueuedAtMs,
            AvailableAtMs = message.AvailableAtMs,
            ExpiresAtMs = message.ExpiresAtMs,
            Priority = message.Priority,
            BodyLength = message.BodyLength,
            Segment = message.Segment,
            RecordOffset = message.RecordOffset,
            RecordLength = message.RecordLength,
            CarriedTo = message.CarriedTo,
            Body = message.Body,
            Attempts = message.Attempts,
            Details = message.Details,
        };
        IndexLocked(replacement);
        return replacement;
    }

    /// <summary>Where a page ended: what orders the messages of the state.</summary>
    private readonly record struct PageKey(int Priority, long TimeMs, long Sequence)
    {
        public static PageKey Of(StoredMessage message) => message.Place switch
        {
            MessagePlace.Leased => new PageKey(0, message.Lease!.UntilMs, message.Sequence),
            MessagePlace.Delayed => new PageKey(0, message.AvailableAtMs, message.Sequence),
            _ => new PageKey(message.Priority, message.AvailableAtMs, message.Sequence),
        };

        public static bool TryParse(string? text, out PageKey key)
        {
            key = new PageKey(int.MaxValue, long.MinValue, 0);
            if (text is null)
            {
                return true;
            }

            var parts = text.Split('-');
            var culture = CultureInfo.InvariantCulture;
            if (parts.Length != 3
                || !int.TryParse(parts[0], NumberStyles.None, culture, out var priority)
                || !long.TryParse(parts[1], NumberStyles.None, culture, out var time)
                || !long.TryParse(parts[2], NumberStyles.None, culture, out var sequence))
            {
                return false;
            }

            key = new PageKey(priority, time, sequence);
            return true;
        }

        /// <summary>A message that would stand there, in whichever order.</summary>
        public StoredMessage ToPlace() => new()
        {
            Sequence = Sequence,
            ContentType = string.Empty,
            EnqueuedAtMs = 0,
            AvailableAtMs = TimeMs,
            BodyLength = 0,
            Priority = (byte)Math.Min(Priority, ReadyMessages.Priorities - 1),
            Lease = new LeaseDetails(default, TimeMs, Worker: null, Delivery: false, CallerUntilMs: 0),
        };

        public bool IsBehind(PageKey other)
        {
            if (Priority != other.Priority)
            {
                return Priority < other.Priority;
            }

            return TimeMs != other.TimeMs ? TimeMs > other.TimeMs : Sequence > other.Sequence;
        }

        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Priority}-{TimeMs}-{Sequence}");
    }
}
