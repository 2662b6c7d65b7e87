using PushQueue.Queues;
using PushQueue.Storage.Embedded.Log;

namespace PushQueue.Storage.Embedded;

/// <summary>The queue as a whole: settings, deletion, snapshots, and how recovery fills it.</summary>
internal sealed partial class EmbeddedQueue
{
    private readonly Lock _tellingSettings = new();

    public QueueSettings Settings
    {
        get
        {
            lock (_gate)
            {
                return _settings;
            }
        }
    }

    public QueueSettings? UpdateSettings(QueueSettingsPatch patch, out LogBatch? batch)
    {
        QueueSettings settings;
        batch = null;
        lock (_gate)
        {
            if (_deleted)
            {
                return null;
            }

            var now = _services.NowMs();
            AdvanceLocked(now);
            settings = patch.ApplyTo(_settings);
            if (settings != _settings)
            {
                _settings = settings;
                TrimHistoryLocked(now);
                if (_history.Count > 0)
                {
                    NoteDueLocked(HistoryEndMs(_history.First));
                }

                NewsLocked().SettingsChanged();
                if (_ready.Count > 0)
                {
                    NewsLocked().Ready();
                }
            }

            batch = RecordStateLocked();
        }

        TellNews();
        return settings;
    }

    /// <summary>
    /// Tells the settings as they are now, one caller after the other: of two changes at once, who is told last is told the later one.
    /// </summary>
    public void TellSettings(IQueueChangeListener listener)
    {
        lock (_tellingSettings)
        {
            listener.OnSettingsChanged(Name, Settings);
        }
    }

    /// <summary>Writes the queue's state without its messages; a new queue's first record, or a part of a snapshot.</summary>
    public void RecordState()
    {
        lock (_gate)
        {
            if (!_deleted)
            {
                RecordStateLocked();
            }
        }
    }

    /// <summary>Deletes everything. False where it was deleted already.</summary>
    public bool Delete(out LogBatch? batch)
    {
        batch = null;
        lock (_gate)
        {
            if (_deleted)
            {
                return false;
            }

            using (var appender = _services.Log.BeginAppend())
            {
                var all = _bySequence.Values.Concat(InHistoryLocked());
                appender.QueueDeleted(Number, all.Where(static message => message.Segment is not null).Select(static message => message.Segment!).Concat(_knownIds.Evidence()).Distinct());
                batch = appender.Batch;
            }

            _deleted = true;
            _services.CountQueues(-1);
            _services.CountLive(-_bySequence.Count, -_bytes);
            foreach (var message in _bySequence.Values)
            {
                NewsOfEndLocked(message, acked: false, message.Details?.LastWorker, message.Attempts, "queue-deleted");
                DiscardLocked(message);
            }

            foreach (var message in InHistoryLocked())
            {
                DiscardLocked(message);
            }

            ForgetAllLocked();
            NewsLocked().Deleted();
        }

        TellNews();
        return true;
    }

    /// <summary>The due timers know the queue until its last time has come, which may be years from now: nothing may hang on it.</summary>
    private void ForgetAllLocked()
    {
        _bySequence = [];
        _byClientId = new Dictionary<string, StoredMessage>(StringComparer.Ordinal);
        _byUniqueKey = new Dictionary<string, StoredMessage>(StringComparer.Ordinal);
        _ready = new ReadyMessages();
        _delayed.Clear();
        _leased.Clear();
        _expiring.Clear();
        _history = new RingDeque<StoredMessage>();
        _knownIds.Clear();
        _pending = 0;
        _pendingBytes = 0;
        _bytes = 0;
        _lastPut = null;
        _lastBroadcast = null;
    }

    /// <summary>The messages, live or in history, whose latest whole record stands in that segment, and the ids that it proves.</summary>
    public IReadOnlyList<StoredMessage> MessagesIn(Segment segment)
    {
        lock (_gate)
        {
            var found = new List<StoredMessage>();
            foreach (var message in _bySequence.Values)
            {
                if (message.Segment == segment && message.Place != MessagePlace.Pending)
                {
                    found.Add(message);
                }
            }

            for (var i = 0; i < _history.Count; i++)
            {
                if (_history[i].Segment == segment)
                {
                    found.Add(_history[i]);
                }
            }

            return found;
        }
    }

    /// <summary>Writes a message to the end of the log again, so that its old segment can go. False where it is gone or has moved.</summary>
    public bool Carry(StoredMessage message, Segment from, ReadOnlySpan<byte> body, out LogBatch? batch)
    {
        batch = null;
        lock (_gate)
        {
            if (_deleted || message.Segment != from || message.Place is MessagePlace.Gone or MessagePlace.Pending)
            {
                return false;
            }

            using var appender = _services.Log.BeginAppend();
            appender.Message(this, Number, message, body);
            appender.Batch.Segment.AddReference(from);
            if (message.CarriedTo is { } earlierCopy)
            {
                // A copy made before the message changed hands may still come; what is written now supersedes it too.
                appender.Batch.Segment.AddReference(earlierCopy);
            }

            message.CarriedTo = appender.Batch.Segment;
            batch = appender.Batch;
            return true;
        }
    }

    /// <summary>Writes the ids that the segment proves to the end of the log.</summary>
    public void CarryKnownIds(Segment from)
    {
        lock (_gate)
        {
            foreach (var (id, untilMs) in _knownIds.ProvedBy(from))
            {
                using var appender = _services.Log.BeginAppend();
                appender.KnownId(Number, id, untilMs);
                _knownIds.Relocate(id, appender.Batch.Segment);
            }
        }
    }

    private IEnumerable<StoredMessage> InHistoryLocked()
    {
        for (var i = 0; i < _history.Count; i++)
        {
            yield return _history[i];
        }
    }

    private void DiscardLocked(StoredMessage message)
    {
        var visible = message.Place != MessagePlace.Pending;
        message.Place = MessagePlace.Gone;
        if (visible)
        {
            _services.Cache.Release(message);
            _services.ReleaseLive(message.Segment!, message.RecordLength);
        }
    }

    private LogBatch RecordStateLocked()
    {
        using var appender = _services.Log.BeginAppend();
        appender.QueueState(new QueueStateRecord(Number, Name, _epoch, _nextSequence, _nextOffset, _settings, _counters.Snapshot(), PositionLocked().FirstOffset));
        return appender.Batch;
    }
}
