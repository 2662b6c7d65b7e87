using PushQueue.Queues;
using PushQueue.Storage.Embedded.Records;

namespace PushQueue.Storage.Embedded;

/// <summary>
/// The messages that a queue has broadcast and keeps for consumers that resume, and the offsets that it gives out. Guarded by the queue's
/// lock.
/// </summary>
internal sealed class BroadcastHistory(StoreServices services, QueueJournal journal)
{
    private RingDeque<StoredMessage> _messages = new();
    private LatestMessages? _latest;
    private List<StoredMessage>? _unrecorded;

    public int Count => _messages.Count;

    /// <summary>The offset that the next broadcast message gets.</summary>
    public long NextOffset { get; private set; } = 1;

    /// <summary>
    /// The offset behind the last message that consumers may see. Messages from here on have their offsets and are durable, but the
    /// dispatcher has not read them: they belong to no history yet, and the limits do not count them.
    /// </summary>
    public long EndOffset { get; private set; } = 1;

    /// <summary>How many messages lie behind <see cref="EndOffset"/>.</summary>
    public int Unread => _messages.Count > 0 ? (int)Math.Max(0, _messages.Last.Offset + 1 - EndOffset) : 0;

    /// <summary>The first offset that history holds; the end where it is empty.</summary>
    public long FirstOffset => _messages.Count > 0 ? _messages.First.Offset : EndOffset;

    /// <summary>The newest message of each key, from that offset on; none where they are not kept.</summary>
    public IEnumerable<StoredMessage> Latest(long fromOffset) =>
        _latest?.From(fromOffset).TakeWhile(message => message.Offset < EndOffset) ?? [];

    public long TakeOffset() => NextOffset++;

    /// <summary>Offsets from that one on were given to puts that a full disk has refused: no record has them.</summary>
    public void TakeBackOffsets(long nextOffset) => NextOffset = nextOffset;

    /// <summary>
    /// Sets whether the newest message of each key stays beyond the limits of history. If it is switched on, messages that history holds
    /// count, too. If it is switched off, the messages beyond the limits are dropped.
    /// </summary>
    public void KeepLatest(bool keep)
    {
        if (keep && _latest is null)
        {
            _latest = new LatestMessages();
            for (var i = 0; i < _messages.Count; i++)
            {
                SetLatest(_messages[i]);
            }
        }
        else if (!keep && _latest is not null)
        {
            var kept = Kept().ToArray();
            _latest = null;
            Array.ForEach(kept, Drop);
        }
    }

    /// <summary>The message has its offset, which <see cref="Expose"/> shows.</summary>
    public void Add(StoredMessage message, long nowMs)
    {
        message.Place = MessagePlace.History;
        message.AvailableAtMs = nowMs;
        _messages.AddLast(message);
    }

    /// <summary>
    /// The next message is broadcast: consumers may see it. Drops an older message of its key that is kept beyond the limits.
    /// </summary>
    public void Expose(StoredMessage message)
    {
        EndOffset = message.Offset + 1;
        if (_latest is not null && message.Key is not null && _latest.Set(message) is { Place: MessagePlace.Kept } older)
        {
            Drop(older);
        }

        if (!services.Cache.HasRoomForHistory)
        {
            services.Cache.Release(message);
        }
    }

    /// <summary>The first message behind <see cref="EndOffset"/>; null for none.</summary>
    public StoredMessage? FirstUnread => Unread > 0 ? _messages[_messages.Count - Unread] : null;

    /// <summary>When the oldest message becomes too old; <see cref="long.MaxValue"/> without one.</summary>
    public long NextEndMs(QueueSettings settings) => _messages.Count > Unread ? EndMs(_messages.First, settings) : long.MaxValue;

    /// <param name="settings">The limits.</param>
    /// <param name="nowMs">The time.</param>
    /// <param name="records">False while the log is read: then <see cref="RecordKept"/> records what stays beyond the limits.</param>
    public void Trim(QueueSettings settings, long nowMs, bool records = true)
    {
        var unread = Unread;
        while (_messages.Count > unread
            && (_messages.Count - unread > settings.HistoryMessages || EndMs(_messages.First, settings) <= nowMs))
        {
            if (_latest?.Has(_messages.First) is true)
            {
                var kept = _messages.RemoveFirst();
                kept.Place = MessagePlace.Kept;
                (_unrecorded ??= []).Add(kept);
            }
            else
            {
                RemoveOldest();
            }
        }

        if (records)
        {
            RecordKept();
        }
    }

    /// <summary>Records what is kept beyond the limits, before a record of the queue's state says that history begins behind it.</summary>
    public void RecordKept()
    {
        foreach (var message in _unrecorded ?? [])
        {
            if (message.Place == MessagePlace.Kept)
            {
                journal.Changed(message);
            }
        }

        _unrecorded = null;
    }

    /// <summary>History from that offset on, or from its beginning.</summary>
    public IEnumerable<StoredMessage> From(long offset)
    {
        for (var i = IndexOf(offset); i < _messages.Count && _messages[i].Offset < EndOffset; i++)
        {
            yield return _messages[i];
        }
    }

    /// <summary>
    /// All messages behind an offset, in the order of the offsets: those beyond the limits, and those behind <see cref="EndOffset"/>, too.
    /// </summary>
    public IEnumerable<StoredMessage> Behind(long offset)
    {
        foreach (var kept in _latest?.From(offset + 1).TakeWhile(static message => message.Place == MessagePlace.Kept) ?? [])
        {
            yield return kept;
        }

        for (var i = IndexOf(offset + 1); i < _messages.Count; i++)
        {
            yield return _messages[i];
        }
    }

    /// <summary>The index of the first message at or behind that offset. Offsets have holes only where the log was damaged.</summary>
    private int IndexOf(long offset)
    {
        var low = 0;
        var high = _messages.Count;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_messages[middle].Offset < offset)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }

    /// <summary>All that is held: what is kept beyond the limits first.</summary>
    public IEnumerable<StoredMessage> InOrder()
    {
        foreach (var kept in Kept())
        {
            yield return kept;
        }

        for (var i = 0; i < _messages.Count; i++)
        {
            yield return _messages[i];
        }
    }

    /// <summary>Begins with what the log has of an earlier run, in the order of the offsets.</summary>
    /// <param name="messages">The messages that were broadcast.</param>
    /// <param name="firstOffset">History began here at the last look; what lies before was trimmed.</param>
    /// <param name="nextOffset">Offsets below this one have been given out.</param>
    /// <param name="keepsLatest">Whether the newest message of each key is kept.</param>
    public void Restore(IReadOnlyList<StoredMessage> messages, long firstOffset, long nextOffset, bool keepsLatest)
    {
        NextOffset = nextOffset;
        EndOffset = nextOffset;
        foreach (var message in messages)
        {
            if (message.Place == MessagePlace.Kept)
            {
                continue;
            }

            if (_messages.Count > 0 && message.Offset != _messages.Last.Offset + 1)
            {
                // Consumers would miss a hole without notice; they do notice a history that begins later.
                RemoveAll();
            }

            _messages.AddLast(message);
        }

        if (_messages.Count > 0 && _messages.Last.Offset + 1 != NextOffset)
        {
            // The hole is at the end: offsets up to the next one were given out, and damage took their messages.
            RemoveAll();
        }

        while (_messages.Count > 0 && _messages.First.Offset < firstOffset)
        {
            RemoveOldest();
        }

        RestoreLatest(messages, keepsLatest);
    }

    /// <summary>Forgets the messages of a queue that is deleted; the caller has released them.</summary>
    public void Clear()
    {
        _messages = new RingDeque<StoredMessage>();
        _latest?.Clear();
    }

    /// <summary>
    /// A crash may have left a kept message although a newer one of its key was broadcast: the older one is released. No record is written
    /// while the log is read.
    /// </summary>
    private void RestoreLatest(IReadOnlyList<StoredMessage> messages, bool keepsLatest)
    {
        _latest = keepsLatest ? new LatestMessages() : null;
        foreach (var message in messages)
        {
            if (message.Place == MessagePlace.Kept && _latest is null)
            {
                Release(message);
            }
            else if (message.Place != MessagePlace.Gone && message.Key is not null
                && _latest?.Set(message) is { Place: MessagePlace.Kept } older)
            {
                Release(older);
            }
        }
    }

    private IEnumerable<StoredMessage> Kept() => _latest?.InOrder.TakeWhile(static message => message.Place == MessagePlace.Kept) ?? [];

    private void SetLatest(StoredMessage message)
    {
        if (message.Key is not null)
        {
            _latest!.Set(message);
        }
    }

    private void Drop(StoredMessage kept)
    {
        journal.Removed(kept);
        Release(kept);
    }

    private static long EndMs(StoredMessage message, QueueSettings settings) =>
        message.AvailableAtMs + (long)settings.HistoryAge.TotalMilliseconds;

    private void RemoveAll()
    {
        while (_messages.Count > 0)
        {
            RemoveOldest();
        }
    }

    private void RemoveOldest() => Release(_messages.RemoveFirst());

    private void Release(StoredMessage message)
    {
        message.Place = MessagePlace.Gone;
        services.Cache.Release(message);
        services.ReleaseRecord(message);
    }
}
