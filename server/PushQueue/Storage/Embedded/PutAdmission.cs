using System.Runtime.InteropServices;
using PushQueue.Queues;
using PushQueue.Storage.Embedded.Records;

namespace PushQueue.Storage.Embedded;

/// <summary>
/// Whether a queue takes a message: known ids, unique keys, limits; and what the queue keeps of it. Guarded by the queue's lock.
/// </summary>
internal sealed class PutAdmission(QueueState state)
{
    private bool IsOverfull =>
        state.Settings.Overflow == FullQueuePolicy.DropOldest
        && state.Waiting.Ready.Count > 0
        && (state.Live > (state.Settings.MaxMessages ?? long.MaxValue) || state.Index.Bytes > (state.Settings.MaxBytes ?? long.MaxValue));

    /// <summary>The id under which a message is known: it is live, on its way to the disk (pending), or within the dedup window.</summary>
    public MessageId? FindKnown(MessageId? id, out StoredMessage? pending)
    {
        pending = null;
        if (id is not { } wanted)
        {
            return null;
        }

        if (state.Index.Find(wanted) is { } message)
        {
            pending = message.Place == MessagePlace.Pending ? message : null;
            return wanted;
        }

        return state.KnownIds.Contains(wanted.ToString()) ? wanted : null;
    }

    /// <summary>Checks the rules and indexes the message as pending; null with the failure where a rule forbids it.</summary>
    /// <param name="message">The message.</param>
    /// <param name="now">The time of the put.</param>
    /// <param name="ahead">The messages before it in the same batch.</param>
    /// <param name="failure">The rule that forbids it.</param>
    public StoredMessage? Admit(NewMessage message, long now, (int Messages, long Bytes) ahead, out BrokerFailure failure)
    {
        if (WhyNot(message, ahead) is { } refusal)
        {
            failure = refusal;
            return null;
        }

        failure = default;
        return Admit(message, now);
    }

    /// <summary>Indexes a message as pending that no rule forbids (<see cref="WhyNot"/>).</summary>
    public StoredMessage Admit(NewMessage message, long now)
    {
        var stored = NewStored(message, now);
        state.AddPending(stored);
        return stored;
    }

    /// <summary>The rule that forbids the message.</summary>
    public BrokerFailure? WhyNot(NewMessage message, (int Messages, long Bytes) ahead) =>
        message.UniqueKey is { } key && state.Index.HasUniqueKey(key)
            ? new BrokerFailure(QueueError.UniqueKeyTaken, $"A message with the unique key '{key}' still waits in queue '{state.Name}'.")
            : WhyFull(message.Body.Length, ahead);

    /// <summary>
    /// Indexes the copy of a message of another queue as pending. Its id is not known here, and <see cref="WhyFull"/> does not forbid it;
    /// its unique key does not count here.
    /// </summary>
    /// <param name="original">The message as its own queue has admitted it.</param>
    /// <param name="message">The message as it was put.</param>
    /// <param name="now">The time of the put.</param>
    public StoredMessage AdmitCopy(StoredMessage original, NewMessage message, long now)
    {
        var availableAt = original.BecomesDelayed || message.KeepsPastTime ? original.AvailableAtMs : state.AvailableNow(now);
        var copy = original.CopyFor(
            state.Index.TakeSequence(original.ClientId, state.KnownIds), availableAt, KnownUntil(original.ClientId, now));
        copy.StandIn(original.EnsureShared(), offset: 0, length: 0);
        state.AddPending(copy);
        return copy;
    }

    /// <summary>
    /// Indexes the copy of a message that a source held when a subscription began as pending. Limits do not forbid it. Its record is its
    /// own.
    /// </summary>
    public StoredMessage AdmitEarlier(in EarlierMessage message, long now)
    {
        var original = message.Original;
        var copy = original.EarlierCopyFor(
            state.Index.TakeSequence(original.ClientId, state.KnownIds),
            message.AvailableAtMs,
            KnownUntil(original.ClientId, now),
            message.IsDelayed);
        copy.Body = OwnedBody(message.Read.Body);
        state.AddPending(copy);
        return copy;
    }

    /// <summary>
    /// Under drop-oldest, the oldest ready messages go until the new ones fit: once those are durable, because a put that fails drops
    /// nothing. The new ones stay, although their times may be earlier, as long as there are others.
    /// </summary>
    /// <param name="firstNew">The number of the first new message.</param>
    public void DropOldest(long firstNew)
    {
        while (IsOverfull)
        {
            var ready = state.Waiting.Ready;
            var oldest = ready.PeekOldest()!;
            if (oldest.Sequence >= firstNew && ready.OldestFirst().FirstOrDefault(message => message.Sequence < firstNew) is { } older)
            {
                ready.Remove(older);
                oldest = older;
            }
            else
            {
                _ = ready.PopOldest();
            }

            state.Journal.Removed(oldest);
            state.Counters.Dropped++;
            state.Forget(oldest);
            state.Events.Finished(
                oldest.Id, new FinishedMessage(Acked: false, Worker: null, oldest.Attempts, "dropped because the queue was full"));
        }
    }

    /// <summary>The limit that a message of so many bytes would exceed.</summary>
    public BrokerFailure? WhyFull(int bytes, (int Messages, long Bytes) ahead)
    {
        var settings = state.Settings;
        if (settings is { MaxMessages: null, MaxBytes: null })
        {
            return null;
        }

        // Under drop-oldest all that is ready can make room, and so can the puts under way, once they are ready; delayed and leased
        // messages and the batch itself cannot.
        var ready = state.Waiting.Ready;
        var (droppable, droppableBytes) = settings.Overflow == FullQueuePolicy.DropOldest
            ? (ready.Count + state.Pending - ahead.Messages, ready.Bytes + state.PendingBytes - ahead.Bytes)
            : (0, 0L);
        if (settings.MaxMessages is { } messagesMax && state.Live - droppable + 1 > messagesMax)
        {
            return new BrokerFailure(
                QueueError.QueueFull, $"Queue '{state.Name}' has reached its maxMessages of {messagesMax}; try again after some "
                    + "messages were taken.");
        }

        if (settings.MaxBytes is { } bytesMax && state.Index.Bytes - droppableBytes + bytes > bytesMax)
        {
            return new BrokerFailure(
                QueueError.QueueFull, $"Queue '{state.Name}' has reached its maxBytes of {bytesMax}; try again after some messages were "
                    + "taken.");
        }

        return null;
    }

    private StoredMessage NewStored(NewMessage message, long now)
    {
        var availableAt = message.AvailableAt is { } at ? state.Services.Clock.FromWall(at) : 0;
        var delayed = availableAt > now;
        if (!delayed && !message.KeepsPastTime)
        {
            availableAt = state.AvailableNow(now);
        }

        var clientId = message.Id?.ToString();
        var knownUntil = KnownUntil(clientId, now);
        var stored = new StoredMessage
        {
            Sequence = state.Index.TakeSequence(clientId, state.KnownIds),
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
            CountsAsFailure = message.CountsAsFailure,
            Tags = TagsOf(message, knownUntil),
        };
        return message.Key is { } key ? new KeyedMessage(stored, state.Keys.Of(key)) : stored;
    }

    /// <summary>0 where the id does not stay known.</summary>
    private long KnownUntil(string? clientId, long now)
    {
        var dedupWindow = state.Settings.DedupWindow;
        return clientId is not null && dedupWindow > TimeSpan.Zero ? now + (long)dedupWindow.TotalMilliseconds : 0;
    }

    /// <summary>Null for most messages; see <see cref="StoredMessage"/>.</summary>
    private static MessageTags? TagsOf(NewMessage message, long knownUntil)
    {
        if (message is { UniqueKey: null, MaxAttempts: null, RetryDelay: null, TraceParent: null } && knownUntil == 0)
        {
            return message.Headers is null ? null : new MessageTags { Headers = message.Headers };
        }

        return new MessageDetails
        {
            UniqueKey = message.UniqueKey,
            MaxAttempts = message.MaxAttempts,
            RetryDelay = message.RetryDelay,
            KnownUntilMs = knownUntil,
            TraceParent = message.TraceParent,
            Headers = message.Headers,
        };
    }

    /// <summary>The body's own array where it fills one: the transport has copied the body once already.</summary>
    private static byte[] OwnedBody(ReadOnlyMemory<byte> body) =>
        MemoryMarshal.TryGetArray(body, out var segment)
        && segment is { Offset: 0, Array: { } array }
        && array.Length == segment.Count
            ? array
            : body.ToArray();
}
