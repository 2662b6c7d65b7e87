using PushQueue.Queues;
using PushQueue.Storage.Embedded.Records;

namespace PushQueue.Storage.Embedded;

/// <summary>
/// The messages that a queue has broadcast and keeps for consumers that resume, and the offsets that it gives out. Guarded by the queue's
/// lock.
/// </summary>
internal sealed class BroadcastHistory(StoreServices services)
{
    private RingDeque<StoredMessage> _messages = new();

    public int Count => _messages.Count;

    /// <summary>The offset that the next broadcast message gets.</summary>
    public long NextOffset { get; private set; } = 1;

    /// <summary>The first offset that history holds; the next one where it is empty.</summary>
    public long FirstOffset => _messages.Count > 0 ? _messages.First.Offset : NextOffset;

    public StoredMessage this[int index] => _messages[index];

    public long TakeOffset() => NextOffset++;

    /// <summary>The message, which has its offset, was broadcast.</summary>
    public void Add(StoredMessage message, long nowMs)
    {
        message.Place = MessagePlace.History;
        message.AvailableAtMs = nowMs;
        _messages.AddLast(message);
        if (!services.Cache.HasRoomForHistory)
        {
            services.Cache.Release(message);
        }
    }

    /// <summary>When the oldest message becomes too old; <see cref="long.MaxValue"/> without one.</summary>
    public long NextEndMs(QueueSettings settings) => _messages.Count > 0 ? EndMs(_messages.First, settings) : long.MaxValue;

    public void Trim(QueueSettings settings, long nowMs)
    {
        while (_messages.Count > 0 && (_messages.Count > settings.HistoryMessages || EndMs(_messages.First, settings) <= nowMs))
        {
            RemoveOldest();
        }
    }

    /// <summary>The index of the first message at or behind that offset. Offsets have holes only where the log was damaged.</summary>
    public int IndexOf(long offset)
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

    public IEnumerable<StoredMessage> InOrder()
    {
        for (var i = 0; i < _messages.Count; i++)
        {
            yield return _messages[i];
        }
    }

    /// <summary>Begins with what the log has of an earlier run, in the order of the offsets.</summary>
    /// <param name="messages">The messages that were broadcast.</param>
    /// <param name="firstOffset">History began here at the last look; what lies before was trimmed.</param>
    /// <param name="nextOffset">Offsets below this one have been given out.</param>
    public void Restore(IEnumerable<StoredMessage> messages, long firstOffset, long nextOffset)
    {
        NextOffset = nextOffset;
        foreach (var message in messages)
        {
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
    }

    /// <summary>Forgets the messages of a queue that is deleted; the caller has released them.</summary>
    public void Clear() => _messages = new RingDeque<StoredMessage>();

    private static long EndMs(StoredMessage message, QueueSettings settings) =>
        message.AvailableAtMs + (long)settings.HistoryAge.TotalMilliseconds;

    private void RemoveAll()
    {
        while (_messages.Count > 0)
        {
            RemoveOldest();
        }
    }

    private void RemoveOldest()
    {
        var oldest = _messages.RemoveFirst();
        oldest.Place = MessagePlace.Gone;
        services.Cache.Release(oldest);
        services.ReleaseLive(oldest.Segment!, oldest.RecordLength);
    }
}
