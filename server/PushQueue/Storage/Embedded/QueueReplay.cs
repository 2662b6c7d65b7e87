using PushQueue.Queues;
using PushQueue.Storage.Embedded.Records;
using PushQueue.Storage.Log;

namespace PushQueue.Storage.Embedded;

/// <summary>
/// One queue while a start replays the log: the records change what is known of its messages, in the order of the log, on one thread.
/// <see cref="Build"/> makes the queue of what is left.
/// </summary>
internal sealed class QueueReplay(StoreServices services, long number, QueueName name)
{
    private readonly Dictionary<long, StoredMessage> _messages = [];
    private readonly Dictionary<string, MessageKey> _keys = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (long UntilMs, Segment Evidence)> _knownIds = new(StringComparer.Ordinal);
    private string _epoch = EmbeddedQueue.NewEpoch();
    private QueueSettings _settings = QueueSettings.Default;
    private QueueCounters _counters = new();
    private long _nextSequence = 1;
    private long _nextOffset = 1;
    private long _firstOffset;
    private long _unusedMs;
    private EarlierCopyings? _earlier;

    public long Number { get; } = number;

    /// <summary>The log may name the queue after its first messages, or another queue may have the name.</summary>
    public QueueName Name { get; set; } = name;

    public bool HasMessages => _messages.Count > 0;

    public void ReadState(QueueStateRecord state)
    {
        Name = state.Name;
        _epoch = state.Epoch;
        _settings = state.Settings;
        _nextSequence = Math.Max(_nextSequence, state.NextSequence);
        _nextOffset = Math.Max(_nextOffset, state.NextOffset);
        _firstOffset = Math.Max(_firstOffset, state.FirstOffset);
        _counters = state.Counters;
        _unusedMs = state.UnusedMs;
        _earlier = state.Earlier;
    }

    /// <summary>The queue copies what a source held, and is there with it.</summary>
    public void BeginEarlier(long source, long bound, long beganAtMs, long offset, long sequence)
    {
        var copying = (_earlier ??= new EarlierCopyings()).GetOrAdd(source);
        (copying.Bound, copying.BeganAtMs, copying.Offset, copying.Sequence) = (bound, beganAtMs, offset, sequence);
    }

    /// <summary>Copies that stand in the log are made up to there.</summary>
    public void ReadEarlier(long source, long offset, long sequence) => _earlier?.Find(source)?.Reach(offset, sequence);

    public void EndEarlier(long source)
    {
        if (_earlier?.Remove(source) is true && _earlier.Count == 0)
        {
            _earlier = null;
        }
    }

    public void ReadMessage(StoredMessage message, Segment segment, long offset, int length)
    {
        message.StandIn(segment, offset, length);
        Read(message);
    }

    /// <summary>A message whose record holds copies for other queues, too.</summary>
    public void ReadCopy(StoredMessage message, SharedRecord record, long offset, int length)
    {
        message.StandIn(record, offset, length);
        Read(message);
    }

    public void ReadKnownId(string id, long untilMs, Segment evidence) => _knownIds[id] = (untilMs, evidence);

    public void ReadRemoval(long sequence, Segment segment)
    {
        if (_messages.Remove(sequence, out var message))
        {
            segment.AddReference(message.Segment!);
            services.ReleaseRecord(message);
        }
    }

    public void ReadLease(long sequence, LeaseDetails lease, int attempts, Segment segment)
    {
        if (Find(sequence, segment) is { } message)
        {
            message.Lease = lease;
            message.Attempts = attempts;
            message.Place = MessagePlace.Leased;
        }
    }

    /// <summary>The message that a record in the segment is about.</summary>
    public StoredMessage? Find(long sequence, Segment segment)
    {
        if (_messages.TryGetValue(sequence, out var message))
        {
            segment.AddReference(message.Segment!);
        }

        return message;
    }

    public void ReadBroadcast(long sequence, long offset, long atMs, Segment segment)
    {
        _nextOffset = Math.Max(_nextOffset, offset + 1);
        if (Find(sequence, segment) is { } message)
        {
            message.Offset = offset;
            message.AvailableAtMs = atMs;
            message.Place = MessagePlace.History;
        }
    }

    /// <summary>The message went to another queue and is there under a new sequence.</summary>
    public void ReadMove(long sequence, QueueReplay target, StoredMessage arrived, Segment segment)
    {
        if (Find(sequence, segment) is not { } message)
        {
            return;
        }

        _messages.Remove(sequence);
        arrived.StandWith(message);
        target.Read(arrived);
        services.ReleaseRecord(message);
    }

    /// <summary>The queue turned out to be deleted: nothing of it matters.</summary>
    public void Discard()
    {
        foreach (var message in _messages.Values)
        {
            services.ReleaseRecord(message);
        }

        _messages.Clear();
        _knownIds.Clear();
    }

    /// <summary>Messages whose whole record stands in a segment that was dropped before the stop were gone by then.</summary>
    public void Discard(Segment dropped)
    {
        foreach (var message in _messages.Values.Where(message => message.Segment == dropped).ToList())
        {
            _messages.Remove(message.Sequence);
        }
    }

    /// <summary>Makes the queue, with every message where it belongs.</summary>
    /// <param name="newEpoch">Whether the log cannot prove where the broadcast stood.</param>
    /// <param name="stoppedClean">
    /// Whether the log ends with the state of the queue. If not, it may have been used since, and counts as used now.
    /// </param>
    public EmbeddedQueue Build(bool newEpoch, bool stoppedClean)
    {
        _unusedMs = stoppedClean ? _unusedMs : 0;
        var queue = new EmbeddedQueue(services, Number, Name, newEpoch ? EmbeddedQueue.NewEpoch() : _epoch, _settings);
        queue.Restore(Fill);
        return queue;
    }

    /// <summary>The message, whose place in the log is known, is the latest of its number.</summary>
    private void Read(StoredMessage message)
    {
        if (_messages.TryGetValue(message.Sequence, out var older))
        {
            message.Segment!.AddReference(older.Segment!);
            services.ReleaseRecord(older);
        }

        if (message is KeyedMessage keyed && !_keys.TryAdd(keyed.Key, keyed.MessageKey))
        {
            keyed.MessageKey = _keys[keyed.Key];
        }

        StoreServices.HoldRecord(message);
        _messages[message.Sequence] = message;
        _nextSequence = Math.Max(_nextSequence, message.Sequence + 1);
        _nextOffset = Math.Max(_nextOffset, message.Offset + 1);
        if (message.Details is { KnownUntilMs: > 0 } details && message.ClientId is not null)
        {
            ReadKnownId(message.ClientId, details.KnownUntilMs, message.Segment!);
        }
    }

    private void Fill(QueueState state)
    {
        var now = services.Clock.NowMs();
        state.Counters.Restore(_counters);
        state.Earlier = _earlier;
        state.RestoreUse(_unusedMs, now);
        state.Index.Restore(_nextSequence, _messages.Count);
        foreach (var (id, (untilMs, evidence)) in _knownIds)
        {
            if (untilMs > now)
            {
                state.KnownIds.Add(id, untilMs, evidence);
            }
        }

        var history = new List<StoredMessage>();
        var ready = new List<StoredMessage>(_messages.Count);
        foreach (var message in _messages.Values)
        {
            switch (message.Place)
            {
                case MessagePlace.History or MessagePlace.Kept:
                    history.Add(message);
                    break;
                case MessagePlace.Ready:
                    ready.Add(message);
                    break;
                default:
                    state.Restore(message);
                    break;
            }
        }

        history.Sort(static (x, y) => x.Offset.CompareTo(y.Offset));
        state.History.Restore(history, _firstOffset, _nextOffset, state.Settings.HistoryPerKey);
        ready.Sort(DeliveryOrder.Instance);
        ready.ForEach(state.Restore);
        state.History.Trim(state.Settings, now, records: false);
    }
}
