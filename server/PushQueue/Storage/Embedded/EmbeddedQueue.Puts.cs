using System.Globalization;
using System.Runtime.InteropServices;
using PushQueue.Queues;
using PushQueue.Storage.Embedded.Log;

namespace PushQueue.Storage.Embedded;

/// <summary>How a message comes in: known ids, rules, limits, numbers.</summary>
internal sealed partial class EmbeddedQueue
{
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
                return new PutTicket(known, Duplicate: true, pending is null ? null : _lastPut, pending);
            }

            if (AdmitLocked(message, now, ahead: default, out var failure) is not { } stored)
            {
                return failure;
            }

            using var appender = _services.Log.BeginAppend(writesItself: true);
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
            var repeated = new List<StoredMessage>();
            var ahead = (Messages: 0, Bytes: 0L);
            for (var i = 0; i < messages.Count; i++)
            {
                if (FindKnownLocked(messages[i].Id, out var pending) is { } known)
                {
                    if (pending is not null)
                    {
                        repeated.Add(pending);
                    }

                    outcomes[i] = new PutOutcome(known, Duplicate: true);
                    continue;
                }

                if (AdmitLocked(messages[i], now, ahead, out var failure) is not { } stored)
                {
                    admitted.ForEach(ForgetPendingLocked);
                    return failure with { Detail = $"{failure.Detail} (message {i + 1} of the batch; nothing was stored)" };
                }

                admitted.Add(stored);
                ahead = (ahead.Messages + 1, ahead.Bytes + stored.BodyLength);
                outcomes[i] = new PutOutcome(stored.Id, Duplicate: false);
            }

            if (admitted.Count == 0)
            {
                return new PutManyTicket(outcomes, repeated.Count > 0 ? _lastPut : null, repeated);
            }

            using var appender = _services.Log.BeginAppend(writesItself: true);
            appender.Messages(this, Number, CollectionsMarshal.AsSpan(admitted));
            _lastPut = appender.Batch;
            return new PutManyTicket(outcomes, appender.Batch, repeated);
        }
    }

    /// <summary>Whether the put of a message that was still pending has failed since.</summary>
    public bool WasRefused(StoredMessage message)
    {
        lock (_gate)
        {
            return message is { Place: MessagePlace.Gone, Segment: null };
        }
    }

    /// <summary>The id under which a message is known, where it is live, about to be, or within the dedup window.</summary>
    private MessageId? FindKnownLocked(MessageId? id, out StoredMessage? pending)
    {
        pending = null;
        if (id is not { } wanted)
        {
            return null;
        }

        if (FindLocked(wanted) is { } message)
        {
            pending = message.Place == MessagePlace.Pending ? message : null;
            return wanted;
        }

        return _knownIds.Contains(wanted.ToString()) ? wanted : null;
    }

    /// <summary>
    /// Checks the rules and indexes the message as pending; null with the failure where a rule forbids it. The messages ahead are those of
    /// the same batch.
    /// </summary>
    private StoredMessage? AdmitLocked(NewMessage message, long now, (int Messages, long Bytes) ahead, out BrokerFailure failure)
    {
        failure = default;
        if (message.UniqueKey is { } key && _byUniqueKey.ContainsKey(key))
        {
            failure = new BrokerFailure(QueueError.UniqueKeyTaken, $"A message with the unique key '{key}' still waits in queue '{Name}'.");
            return null;
        }

        if (IsFullFor(message.Body.Length, ahead, out failure))
        {
            return null;
        }

        var stored = NewStoredLocked(message, now);
        IndexLocked(stored);
        _pending++;
        _pendingBytes += stored.BodyLength;
        return stored;
    }

    private bool IsFullFor(int bytes, (int Messages, long Bytes) ahead, out BrokerFailure failure)
    {
        failure = default;
        if (_settings is { MaxMessages: null, MaxBytes: null })
        {
            return false;
        }

        // Under drop-oldest all that is ready can make room, and so can the puts under way, once they are ready; delayed and leased
        // messages and the batch itself cannot.
        var (droppable, droppableBytes) = _settings.Overflow == FullQueuePolicy.DropOldest
            ? (_ready.Count + _pending - ahead.Messages, _ready.Bytes + _pendingBytes - ahead.Bytes)
            : (0, 0L);
        if (_settings.MaxMessages is { } messagesMax && LiveLocked - droppable + 1 > messagesMax)
        {
            failure = new BrokerFailure(QueueError.QueueFull, $"Queue '{Name}' holds its maxMessages of {messagesMax}; try again when some were taken.");
            return true;
        }

        if (_settings.MaxBytes is { } bytesMax && _bytes - droppableBytes + bytes > bytesMax)
        {
            failure = new BrokerFailure(QueueError.QueueFull, $"Queue '{Name}' holds its maxBytes of {bytesMax}; try again when some were taken.");
            return true;
        }

        return false;
    }

    private bool IsOverfullLocked =>
        _settings.Overflow == FullQueuePolicy.DropOldest
        && _ready.Count > 0
        && (LiveLocked > (_settings.MaxMessages ?? long.MaxValue) || _bytes > (_settings.MaxBytes ?? long.MaxValue));

    /// <summary>
    /// Under drop-oldest, the oldest ready messages go until the new ones fit: once those are durable, because a put that fails drops nothing.
    /// </summary>
    private void DropOldestLocked()
    {
        if (!IsOverfullLocked)
        {
            return;
        }

        using var appender = _services.Log.BeginAppend();
        while (IsOverfullLocked)
        {
            var oldest = _ready.PopOldest()!;
            appender.Removed(Number, [oldest]);
            _counters.Dropped++;
            ForgetLocked(oldest);
            NewsOfEndLocked(oldest, acked: false, worker: null, oldest.Attempts, "dropped because the queue was full");
        }
    }

    private StoredMessage NewStoredLocked(NewMessage message, long now)
    {
        var availableAt = FromWall(message.AvailableAt) ?? 0;
        var delayed = availableAt > now;
        if (!delayed && !message.KeepsTime)
        {
            _lastAvailableMs = Math.Max(_lastAvailableMs, now);
            availableAt = _lastAvailableMs;
        }

        var clientId = message.Id?.ToString();
        var knownUntil = clientId is not null && _settings.DedupWindow > TimeSpan.Zero ? now + (long)_settings.DedupWindow.TotalMilliseconds : 0;
        var hasDetails = message.UniqueKey is not null || message.MaxAttempts is not null || message.RetryDelay is not null || knownUntil > 0
            || message.TraceParent is not null;
        return new StoredMessage
        {
            Sequence = NextSequenceLocked(clientId),
            ClientId = clientId,
            ContentType = ContentTypes.Share(message.ContentType),
            EnqueuedAtMs = now,
            AvailableAtMs = availableAt,
            ExpiresAtMs = message.TimeToLive is { } ttl ? availableAt + (long)ttl.TotalMilliseconds : 0,
            Priority = (byte)message.Priority,
            BodyLength = message.Body.Length,
            Body = OwnedBody(message.Body),
            Place = MessagePlace.Pending,
            BecomesDelayed = delayed,
            PutBack = message.PutBack,
            Details = hasDetails
                ? new MessageDetails
                {
                    UniqueKey = message.UniqueKey,
                    MaxAttempts = message.MaxAttempts,
                    RetryDelay = message.RetryDelay,
                    KnownUntilMs = knownUntil,
                    TraceParent = message.TraceParent,
                }
                : null,
        };
    }

    /// <summary>The body's own array where it fills one; copying what the front door already copied once would be waste.</summary>
    private static byte[] OwnedBody(ReadOnlyMemory<byte> body) =>
        MemoryMarshal.TryGetArray(body, out var segment)
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
}

/// <summary>What to await and answer after a put.</summary>
/// <param name="Id">The message's id.</param>
/// <param name="Duplicate">Whether nothing was stored.</param>
/// <param name="Batch">What to await; null where the message is durable already.</param>
/// <param name="Repeated">The message that this put repeats, where that is not durable yet.</param>
internal readonly record struct PutTicket(MessageId Id, bool Duplicate, LogBatch? Batch, StoredMessage? Repeated = null);

/// <summary>What to await and answer after a batch put.</summary>
/// <param name="Outcomes">One for each message.</param>
/// <param name="Batch">What to await; null where all messages are durable already.</param>
/// <param name="Repeated">The messages that this batch repeats and that are not durable yet.</param>
internal readonly record struct PutManyTicket(PutOutcome[] Outcomes, LogBatch? Batch, IReadOnlyList<StoredMessage> Repeated);
