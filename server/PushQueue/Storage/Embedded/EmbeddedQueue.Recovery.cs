using PushQueue.Queues;
using PushQueue.Storage.Embedded.Log;

namespace PushQueue.Storage.Embedded;

/// <summary>
/// How recovery fills a queue: the records of the log are replayed in their order by one thread, before anybody else knows the queue. Until
/// <see cref="FinishRecovery"/> all messages, those in history too, stand in the index by sequence.
/// </summary>
internal sealed partial class EmbeddedQueue
{
    private long _firstOffset;
    private bool _hasOrphanedLeases;

    public bool HasRecovered => _bySequence.Count > 0;

    /// <summary>Another queue has the name that the log says.</summary>
    public void RecoverName(QueueName name) => Name = name;

    public void RecoverState(QueueStateRecord state)
    {
        Name = state.Name;
        _epoch = state.Epoch;
        _settings = state.Settings;
        _nextSequence = Math.Max(_nextSequence, state.NextSequence);
        _nextOffset = Math.Max(_nextOffset, state.NextOffset);
        _firstOffset = Math.Max(_firstOffset, state.FirstOffset);
        _counters.Restore(state.Counters);
    }

    public void RecoverMessage(StoredMessage message, Segment segment, long offset, int length)
    {
        if (_bySequence.TryGetValue(message.Sequence, out var older))
        {
            segment.AddReference(older.Segment!);
            older.Segment!.AddLive(-older.RecordLength);
        }

        message.Segment = segment;
        message.RecordOffset = offset;
        message.RecordLength = length;
        segment.AddLive(length);
        _bySequence[message.Sequence] = message;
        _nextSequence = Math.Max(_nextSequence, message.Sequence + 1);
        _nextOffset = Math.Max(_nextOffset, message.Offset + 1);
        if (message.Details is { KnownUntilMs: > 0 } details && message.ClientId is not null)
        {
            RecoverKnownId(message.ClientId, details.KnownUntilMs, segment);
        }
    }

    public void RecoverKnownId(string id, long untilMs, Segment evidence)
    {
        if (untilMs > _services.NowMs())
        {
            _knownIds.Add(id, untilMs, evidence);
        }
    }

    public void RecoverRemoval(long sequence, Segment segment)
    {
        if (_bySequence.Remove(sequence, out var message))
        {
            segment.AddReference(message.Segment!);
            message.Segment!.AddLive(-message.RecordLength);
        }
    }

    public void RecoverLease(long sequence, LeaseDetails lease, int attempts, Segment segment)
    {
        if (FindRecovered(sequence, segment) is { } message)
        {
            message.Lease = lease;
            message.Attempts = attempts;
            message.Place = MessagePlace.Leased;
        }
    }

    public StoredMessage? FindRecovered(long sequence, Segment segment)
    {
        if (_bySequence.TryGetValue(sequence, out var message))
        {
            segment.AddReference(message.Segment!);
        }

        return message;
    }

    public void RecoverBroadcast(long sequence, long offset, long atMs, Segment segment)
    {
        _nextOffset = Math.Max(_nextOffset, offset + 1);
        if (FindRecovered(sequence, segment) is { } message)
        {
            message.Offset = offset;
            message.AvailableAtMs = atMs;
            message.Place = MessagePlace.History;
        }
    }

    /// <summary>The message went to another queue and is there under a new sequence.</summary>
    public void RecoverMove(long sequence, EmbeddedQueue target, StoredMessage arrived, Segment segment)
    {
        if (FindRecovered(sequence, segment) is not { } message)
        {
            return;
        }

        _bySequence.Remove(sequence);
        message.Segment!.AddLive(-message.RecordLength);
        target.RecoverMessage(arrived, message.Segment, message.RecordOffset, message.RecordLength);
    }

    /// <summary>The queue turned out to be deleted: nothing of it matters.</summary>
    public void DiscardRecovered()
    {
        foreach (var message in _bySequence.Values)
        {
            message.Segment!.AddLive(-message.RecordLength);
        }

        _bySequence.Clear();
        _knownIds.Clear();
    }

    /// <summary>Messages whose whole record stands in a segment that was dropped before the stop were gone by then.</summary>
    public void DiscardRecovered(Segment dropped)
    {
        foreach (var message in _bySequence.Values.Where(message => message.Segment == dropped).ToList())
        {
            _bySequence.Remove(message.Sequence);
        }
    }

    /// <summary>Puts every message where it belongs.</summary>
    /// <param name="newEpoch">Whether the log cannot prove where the broadcast stood.</param>
    public void FinishRecovery(bool newEpoch)
    {
        if (newEpoch)
        {
            _epoch = NewEpoch();
        }

        var history = new List<StoredMessage>();
        var ready = new List<StoredMessage>(_bySequence.Count);
        foreach (var message in _bySequence.Values)
        {
            if (message.Place == MessagePlace.History)
            {
                history.Add(message);
                continue;
            }

            Index(message);
            if (message.Place != MessagePlace.Delayed && message.Lease is null or { CallerUntilMs: 0 })
            {
                // The clock may have gone back since; what is put next comes after these all the same, leased ones included.
                _lastAvailableMs = Math.Max(_lastAvailableMs, message.AvailableAtMs);
            }

            if (message.Place == MessagePlace.Ready)
            {
                ready.Add(message);
            }
        }

        history.Sort(static (x, y) => x.Offset.CompareTo(y.Offset));
        foreach (var message in history)
        {
            _bySequence.Remove(message.Sequence);
            if (_history.Count > 0 && message.Offset != _history.Last.Offset + 1)
            {
                // A hole would be a loss that nobody is told of; a history that begins later is a gap that consumers are told of.
                ForgetHistoryLocked();
            }

            _history.AddLast(message);
        }

        if (_history.Count > 0 && _history.Last.Offset + 1 != _nextOffset)
        {
            // The hole is at the end: offsets up to the next one were given, and damage took their messages.
            ForgetHistoryLocked();
        }

        while (_history.Count > 0 && _history.First.Offset < _firstOffset)
        {
            ForgetOldestLocked();
        }

        ready.Sort(DeliveryOrder.Instance);
        ready.ForEach(message => PlaceLocked(message, delayed: false));
        _bySequence.TrimExcess();
        TrimHistoryLocked(_services.NowMs());
        _news = null;
        _nextDueMs = NextDueLocked();
        if (_nextDueMs != long.MaxValue)
        {
            _services.Timers.Schedule(this, _nextDueMs);
        }
    }

    /// <summary>Leases that lived with a connection end with the process that had the connection. Its stop is no failed attempt of a consumer.</summary>
    public void EndOrphanedLeases()
    {
        lock (_gate)
        {
            _hasOrphanedLeases = true;
            EndOrphanedLeasesLocked(_services.NowMs());
        }

        TellNews();
    }

    private void EndOrphanedLeasesLocked(long now)
    {
        if (_hasOrphanedLeases)
        {
            foreach (var message in _leased.InOrder().Where(static message => message.Lease!.UntilMs == long.MaxValue).ToList())
            {
                EndLeaseLocked(message, now, BrokenConnection.NotBegun);
            }

            _hasOrphanedLeases = false;
        }
    }

    private void Index(StoredMessage message)
    {
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
        switch (message.Place)
        {
            case MessagePlace.Delayed:
                PlaceLocked(message, delayed: true);
                break;
            case MessagePlace.Leased:
                _leased.Add(message, message.Lease!);
                if (message.ExpiresAtMs > 0)
                {
                    _expiring.Add(message);
                }

                break;
        }
    }
}
