using PushQueue.Queues;
using PushQueue.Storage.Embedded.Log;

namespace PushQueue.Storage.Embedded;

internal sealed partial class EmbeddedQueue
{
    /// <summary>
    /// Moves dead letters from a dead-letter queue back here, where they came from. Ids that live here meanwhile stay where they are.
    /// </summary>
    /// <param name="dead">The dead-letter queue.</param>
    /// <param name="id">One message, or null for the next ones.</param>
    /// <param name="count">At most this many.</param>
    /// <param name="batch">What to await; null where nothing moved.</param>
    /// <returns>How many moved; null where one of the queues was deleted meanwhile.</returns>
    public BrokerResult<int>? ReplayFrom(EmbeddedQueue dead, MessageId? id, int count, out LogBatch? batch)
    {
        batch = null;
        var moved = 0;
        lock (_gate)
        {
            var now = _services.NowMs();
            AdvanceLocked(now);
            lock (dead._gate)
            {
                if (_deleted || dead._deleted)
                {
                    return null;
                }

                dead.AdvanceLocked(now);
                var candidates = dead.ReplayableLocked(id, count);
                if (id is not null && candidates.Count == 0)
                {
                    return new BrokerFailure(QueueError.NotFound, $"No message '{id}' rests in '{dead.Name}'.");
                }

                foreach (var message in candidates)
                {
                    if (FindLocked(message.Id) is not null)
                    {
                        if (id is not null)
                        {
                            return new BrokerFailure(QueueError.UniqueKeyTaken, $"A message with the id '{id}' lives in '{Name}'; cancel it first.");
                        }

                        continue;
                    }

                    dead._ready.Remove(message);
                    batch = dead.MoveToLocked(message, this, letter: null, now);
                    moved++;
                }
            }
        }

        TellNews();
        dead.TellNews();
        return moved;
    }

    private List<StoredMessage> ReplayableLocked(MessageId? id, int count)
    {
        if (id is { } one)
        {
            return FindVisibleLocked(one) is { Place: MessagePlace.Ready } message ? [message] : [];
        }

        return [.. _ready.InOrder().Take(count)];
    }

    /// <summary>With this queue's lock held, takes the other's. Null where the other was deleted meanwhile.</summary>
    private LogBatch? MoveLocked(StoredMessage message, EmbeddedQueue target, DeadLetter? letter, long now)
    {
        lock (target._gate)
        {
            if (target._deleted)
            {
                return null;
            }

            var batch = MoveToLocked(message, target, letter, now);

            // Told with this queue's news, once both locks are free.
            NewsLocked().Ready(target.Name);
            return batch;
        }
    }

    /// <summary>Both locks are held. The body stays where it is in the log; the record says whose it is now.</summary>
    private LogBatch MoveToLocked(StoredMessage message, EmbeddedQueue target, DeadLetter? letter, long now)
    {
        var arrived = target.ArrivalLocked(message, letter, now);
        LogBatch batch;
        using (var appender = _services.Log.BeginAppend())
        {
            appender.Moved(Number, message, target.Number, arrived);
            appender.Batch.NeedsSync = true;
            batch = appender.Batch;
        }

        // Live bytes and cached body change hands with the message.
        message.Place = MessagePlace.Gone;
        UnindexLocked(message);
        arrived.Segment = message.Segment;
        arrived.RecordOffset = message.RecordOffset;
        arrived.RecordLength = message.RecordLength;

        // A copy that is on its way lets the move be replayed though the segment it came from is gone.
        arrived.CarriedTo = message.CarriedTo is null ? null : batch.Segment;
        arrived.Body = message.Body;
        message.Body = null;
        target.IndexLocked(arrived);
        target._counters.Put++;
        target.PlaceLocked(arrived, delayed: false);
        return batch;
    }

    private StoredMessage ArrivalLocked(StoredMessage message, DeadLetter? letter, long now)
    {
        var id = message.Id;
        var clientId = FindLocked(id) is null ? id.ToString() : null;
        _lastAvailableMs = Math.Max(_lastAvailableMs, now);
        return new StoredMessage
        {
            Sequence = NextSequenceLocked(clientId),
            ClientId = clientId,
            ContentType = message.ContentType,
            EnqueuedAtMs = message.EnqueuedAtMs,
            AvailableAtMs = _lastAvailableMs,
            Priority = message.Priority,
            BodyLength = message.BodyLength,
            Details = new MessageDetails
            {
                MaxAttempts = message.Details?.MaxAttempts,
                RetryDelay = message.Details?.RetryDelay,
                TraceParent = message.Details?.TraceParent,
                LastError = message.Details?.LastError,
                LastWorker = message.Details?.LastWorker,
                DeadLetter = letter,
            },
        };
    }
}
