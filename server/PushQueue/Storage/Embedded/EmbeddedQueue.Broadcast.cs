using System.Runtime.InteropServices;
using PushQueue.Queues;
using PushQueue.Storage.Embedded.Log;

namespace PushQueue.Storage.Embedded;

internal sealed partial class EmbeddedQueue
{
    private RingDeque<StoredMessage> _history = new();
    private LogBatch? _lastBroadcast;

    /// <summary>Gives the next ready messages their offsets. To be given out only once the batch is synced.</summary>
    public GivenMessages Broadcast(int count, int bytesMax)
    {
        var given = new GivenMessages(this, _services.Clock);
        lock (_gate)
        {
            var now = _services.NowMs();
            AdvanceLocked(now);
            if (_ready.Count > 0 && !_settings.Stopped && !_deleted)
            {
                BroadcastLocked(count, bytesMax, now, given);
            }
        }

        TellNews();
        return given;
    }

    /// <summary>A stretch of history from that offset on, or from its beginning. To be given out only once the batch is synced.</summary>
    public GivenMessages ReadHistory(long fromOffset, int count, int bytesMax, out BroadcastPosition position)
    {
        var given = new GivenMessages(this, _services.Clock);
        lock (_gate)
        {
            AdvanceLocked(_services.NowMs());
            position = PositionLocked();
            if (_lastBroadcast is { IsOwed: true } && !_services.Log.DiskFull && !_deleted)
            {
                // What was owed goes before all that is written now, so this proves that it is there.
                _lastBroadcast = RecordStateLocked();
            }

            given.Batch = _lastBroadcast;
            var bytes = 0L;
            for (var i = IndexInHistoryLocked(fromOffset); i < _history.Count && given.Count < count; i++)
            {
                var message = _history[i];
                bytes += message.BodyLength;
                if (given.Count > 0 && bytes > bytesMax)
                {
                    break;
                }

                given.Add(message, message.Attempts + 1, Name);
            }
        }

        return given;
    }

    private void BroadcastLocked(int count, int bytesMax, long now, GivenMessages given)
    {
        var sent = new List<StoredMessage>(Math.Min(count, _ready.Count));
        var bytes = 0L;
        while (sent.Count < count && _ready.Peek() is { } message && (sent.Count == 0 || bytes + message.BodyLength <= bytesMax))
        {
            _ready.Pop();
            bytes += message.BodyLength;
            message.Offset = _nextOffset++;
            given.Add(message, message.Attempts + 1, Name);
            sent.Add(message);
        }

        using (var appender = _services.Log.BeginAppend(writesItself: true))
        {
            appender.Broadcast(Number, now, CollectionsMarshal.AsSpan(sent));
            given.Batch = appender.Batch;
            _lastBroadcast = appender.Batch;
        }

        foreach (var message in sent)
        {
            EnterHistoryLocked(message, now);
            _counters.Delivered++;
            NewsOfEndLocked(message, acked: true, worker: null, message.Attempts + 1, reason: null);
        }

        TrimHistoryLocked(now);
        if (_history.Count > 0)
        {
            NoteDueLocked(HistoryEndMs(_history.First));
        }
    }

    /// <summary>No longer live, so its id and unique key are free; kept for those who resume.</summary>
    private void EnterHistoryLocked(StoredMessage message, long now)
    {
        UnindexLocked(message);
        message.Place = MessagePlace.History;
        message.AvailableAtMs = now;
        _history.AddLast(message);
        if (!_services.Cache.HasRoomForHistory)
        {
            _services.Cache.Release(message);
        }
    }

    private void TrimHistoryLocked(long now)
    {
        while (_history.Count > 0 && (_history.Count > _settings.HistoryMessages || HistoryEndMs(_history.First) <= now))
        {
            ForgetOldestLocked();
        }
    }

    private void ForgetHistoryLocked()
    {
        while (_history.Count > 0)
        {
            ForgetOldestLocked();
        }
    }

    private void ForgetOldestLocked()
    {
        var oldest = _history.RemoveFirst();
        oldest.Place = MessagePlace.Gone;
        _services.Cache.Release(oldest);
        _services.ReleaseLive(oldest.Segment!, oldest.RecordLength);
    }

    private long HistoryEndMs(StoredMessage message) => message.AvailableAtMs + (long)_settings.HistoryAge.TotalMilliseconds;

    private BroadcastPosition PositionLocked() =>
        new(_epoch, _history.Count > 0 ? _history.First.Offset : _nextOffset, _nextOffset);

    /// <summary>The first message in history at or behind that offset. Offsets have holes only where the log was damaged.</summary>
    private int IndexInHistoryLocked(long offset)
    {
        var low = 0;
        var high = _history.Count;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_history[middle].Offset < offset)
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
}
