using System.Diagnostics.CodeAnalysis;
using PushQueue.Queues;
using PushQueue.Storage.Log;

namespace PushQueue.Storage.Embedded.Records;

/// <summary>
/// The part of a message that memory holds: about 130 bytes and, while there is room, the body. A million waiting messages must fit into a
/// few hundred megabytes, so what few messages have lives in <see cref="MessageTags"/>. Guarded by its queue's lock.
/// </summary>
internal class StoredMessage
{
    // A segment, or a record that others share: one field, because a million messages have it.
    private object? _home;

    public StoredMessage()
    {
    }

    /// <summary>The same message as another object, in no order of its queue.</summary>
    [SetsRequiredMembers]
    protected StoredMessage(StoredMessage other)
    {
        Sequence = other.Sequence;
        ClientId = other.ClientId;
        ContentType = other.ContentType;
        EnqueuedAtMs = other.EnqueuedAtMs;
        AvailableAtMs = other.AvailableAtMs;
        ExpiresAtMs = other.ExpiresAtMs;
        Offset = other.Offset;
        Priority = other.Priority;
        BodyLength = other.BodyLength;
        _home = other._home;
        RecordOffset = other.RecordOffset;
        RecordLength = other.RecordLength;
        CarriedTo = other.CarriedTo;
        Body = other.Body;
        Attempts = other.Attempts;
        Place = other.Place;
        BecomesDelayed = other.BecomesDelayed;
        CountsAsFailure = other.CountsAsFailure;
        Tags = other.Tags;
        Lease = other.Lease;
    }

    public required long Sequence { get; init; }

    /// <summary>The client's id; null where the sequence is the id.</summary>
    public string? ClientId { get; init; }

    public required string ContentType { get; init; }

    public required long EnqueuedAtMs { get; init; }

    /// <summary>Orders ready messages; for a message in history the time it was broadcast.</summary>
    public required long AvailableAtMs { get; set; }

    /// <summary>
    /// 0 for never. Else the time to live after <see cref="AvailableAtMs"/>, as long as the message is live: <see cref="MoveTo"/> moves
    /// both.
    /// </summary>
    public long ExpiresAtMs { get; set; }

    /// <summary>0 until it is broadcast.</summary>
    public long Offset { get; set; }

    /// <summary>Where the latest whole record of the message is; see <see cref="StandIn(Segment, long, int)"/>.</summary>
    public Segment? Segment => _home is SharedRecord shared ? shared.Segment : (Segment?)_home;

    /// <summary>The record, where copies of the message in other queues stand in the same one; null where it is its own.</summary>
    public SharedRecord? Shared => _home as SharedRecord;

    /// <summary>While a copy of the record is on its way to the end of the log: the segment that it goes to.</summary>
    public Segment? CarriedTo { get; set; }

    public long RecordOffset { get; private set; }

    public int RecordLength { get; private set; }

    public required int BodyLength { get; init; }

    /// <summary>The body where memory has it; else it is read from the log.</summary>
    public byte[]? Body { get; set; }

    public int Attempts { get; set; }

    public byte Priority { get; init; }

    public MessagePlace Place { get; set; }

    /// <summary>Whether a pending message becomes delayed rather than ready.</summary>
    public bool BecomesDelayed { get; init; }

    /// <summary>Whether a pending message was taken before by a worker that failed with it.</summary>
    public bool CountsAsFailure { get; init; }

    /// <summary>Key and headers, and what else there is to keep; null for most messages.</summary>
    public MessageTags? Tags { get; set; }

    /// <summary>The properties that few messages have; null if the message has none of them.</summary>
    public MessageDetails? Details => Tags as MessageDetails;

    /// <summary>The key; only a <see cref="KeyedMessage"/> has one.</summary>
    public virtual string? Key => null;

    public MessageHeaders? Headers => Tags?.Headers;

    public LeaseDetails? Lease { get; set; }

    public MessageId Id => ClientId is null ? MessageId.FromNumber(Sequence) : MessageId.Parse(ClientId);

    /// <summary>The message has a record of its own there.</summary>
    public void StandIn(Segment segment, long offset, int length) => SetHome(segment, offset, length);

    /// <summary>The message has a record there that it shares. The record may not have a segment yet.</summary>
    public void StandIn(SharedRecord record, long offset, int length) => SetHome(record, offset, length);

    /// <summary>The record that this message, which is not written yet, will share with its copies.</summary>
    public SharedRecord EnsureShared()
    {
        if (_home is SharedRecord shared)
        {
            return shared;
        }

        shared = new SharedRecord();
        _home = shared;
        return shared;
    }

    /// <summary>The message has the record of another one, or a part of it.</summary>
    public void StandWith(StoredMessage other) => SetHome(other._home, other.RecordOffset, other.RecordLength);

    /// <summary>
    /// The copy that a subscriber gets: what a consumer sees is the same; what belongs to the put alone (its unique key, its own limits of
    /// attempts) is not. It shares the record, once that is written.
    /// </summary>
    /// <param name="sequence">Its number in the subscriber.</param>
    /// <param name="availableAtMs">When it becomes available there.</param>
    /// <param name="knownUntilMs">Until when its id stays known there; 0 where it does not.</param>
    public StoredMessage CopyFor(long sequence, long availableAtMs, long knownUntilMs) =>
        CopyOf(sequence, availableAtMs, knownUntilMs, BecomesDelayed);

    /// <summary>The same for a message that was put before the subscription; the copy has a record and a body of its own.</summary>
    /// <param name="sequence">Its number in the subscriber.</param>
    /// <param name="availableAtMs">When it becomes available there.</param>
    /// <param name="knownUntilMs">Until when its id stays known there; 0 where it does not.</param>
    /// <param name="isDelayed">Whether that time is still to come.</param>
    public StoredMessage EarlierCopyFor(long sequence, long availableAtMs, long knownUntilMs, bool isDelayed)
    {
        var copy = CopyOf(sequence, availableAtMs, knownUntilMs, isDelayed);
        copy.Place = MessagePlace.Pending;
        copy.ExpiresAtMs = ExpiresAtMs;
        return copy;
    }

    private StoredMessage CopyOf(long sequence, long availableAtMs, long knownUntilMs, bool isDelayed)
    {
        var copy = new StoredMessage
        {
            Sequence = sequence,
            ClientId = ClientId,
            ContentType = ContentType,
            EnqueuedAtMs = EnqueuedAtMs,
            AvailableAtMs = availableAtMs,
            ExpiresAtMs = ExpiresAtMs == 0 ? 0 : availableAtMs + ExpiresAtMs - AvailableAtMs,
            Priority = Priority,
            BodyLength = BodyLength,
            Body = Body,
            Place = Place,
            BecomesDelayed = isDelayed,
            Tags = TagsForCopy(knownUntilMs),
        };
        return Key is { } key ? new KeyedMessage(copy, new MessageKey(key)) : copy;
    }

    /// <summary>Available from another time; the time to live counts from there.</summary>
    public void MoveTo(long availableAtMs)
    {
        ExpiresAtMs += ExpiresAtMs > 0 ? availableAtMs - AvailableAtMs : 0;
        AvailableAtMs = availableAtMs;
    }

    /// <summary>
    /// The same message as another object, in no order, for a message that comes back to an order in which its former self may still stand
    /// (<see cref="OrderedMessages.Remove"/>).
    /// </summary>
    public virtual StoredMessage Copy() => new(this);

    public MessageDetails EnsureDetails()
    {
        if (Tags is MessageDetails details)
        {
            return details;
        }

        details = new MessageDetails { Headers = Headers };
        Tags = details;
        return details;
    }

    /// <summary>The tags of a copy: it shares those of the original if these are headers only.</summary>
    private MessageTags? TagsForCopy(long knownUntilMs)
    {
        if (knownUntilMs == 0 && Details is null)
        {
            return Tags;
        }

        if (knownUntilMs == 0 && Details!.TraceParent is null)
        {
            return Headers is null ? null : new MessageTags { Headers = Headers };
        }

        return new MessageDetails { Headers = Headers, TraceParent = Details?.TraceParent, KnownUntilMs = knownUntilMs };
    }

    private void SetHome(object? home, long offset, int length)
    {
        _home = home;
        RecordOffset = offset;
        RecordLength = length;
    }
}
