using PushQueue.Queues;
using PushQueue.Storage.Log;

namespace PushQueue.Storage.Embedded.Records;

/// <summary>
/// The part of a message that memory holds: about 130 bytes and, while there is room, the body. A million waiting messages must fit into a
/// few hundred megabytes, so what few messages have lives in <see cref="MessageTags"/>. Guarded by its queue's lock.
/// </summary>
internal sealed class StoredMessage
{
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

    /// <summary>Where the latest whole record of the message is.</summary>
    public Segment? Segment { get; set; }

    /// <summary>While a copy of the record is on its way to the end of the log: the segment that it goes to.</summary>
    public Segment? CarriedTo { get; set; }

    public long RecordOffset { get; set; }

    public int RecordLength { get; set; }

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

    /// <summary>The properties that few messages have; null where there are none.</summary>
    public MessageDetails? Details => Tags as MessageDetails;

    public string? Key => Tags?.Key;

    public MessageHeaders? Headers => Tags?.Headers;

    public LeaseDetails? Lease { get; set; }

    public MessageId Id => ClientId is null ? MessageId.FromNumber(Sequence) : MessageId.Parse(ClientId);

    /// <summary>Available from another time; the time to live counts from there.</summary>
    public void MoveTo(long availableAtMs)
    {
        ExpiresAtMs += ExpiresAtMs > 0 ? availableAtMs - AvailableAtMs : 0;
        AvailableAtMs = availableAtMs;
    }

    /// <summary>
    /// The same message as another object, in no order, for a message that comes back to an order in which its former self may still stand
    /// (<see cref="ReadyMessages.Remove"/>).
    /// </summary>
    public StoredMessage Copy() => new()
    {
        Sequence = Sequence,
        ClientId = ClientId,
        ContentType = ContentType,
        EnqueuedAtMs = EnqueuedAtMs,
        AvailableAtMs = AvailableAtMs,
        ExpiresAtMs = ExpiresAtMs,
        Priority = Priority,
        BodyLength = BodyLength,
        Segment = Segment,
        RecordOffset = RecordOffset,
        RecordLength = RecordLength,
        CarriedTo = CarriedTo,
        Body = Body,
        Attempts = Attempts,
        Tags = Tags,
    };

    public MessageDetails EnsureDetails()
    {
        if (Tags is MessageDetails details)
        {
            return details;
        }

        details = new MessageDetails { Key = Key, Headers = Headers };
        Tags = details;
        return details;
    }
}
