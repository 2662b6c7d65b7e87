using PushQueue.Queues;
using PushQueue.Storage.Embedded.Log;

namespace PushQueue.Storage.Embedded;

/// <summary>Where a stored message is inside its queue.</summary>
internal enum MessagePlace : byte
{
    /// <summary>Its record is not yet on disk; nobody may see it.</summary>
    Pending,
    Ready,
    Delayed,
    Leased,

    /// <summary>Broadcast: no longer live, kept for resuming.</summary>
    History,

    /// <summary>Removed; a stale reference may still stand in an ordering.</summary>
    Gone,
}

/// <summary>
/// What memory holds of a message: about 130 bytes and, while there is room, the body. A million waiting messages must fit into a few
/// hundred megabytes, so what few messages have lives in <see cref="MessageDetails"/>. Guarded by its queue's lock.
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
    /// 0 for never. Else the time to live after <see cref="AvailableAtMs"/>, as long as the message is live: <see cref="MoveTo"/> moves both.
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

    public MessageDetails? Details { get; set; }

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
        Details = Details,
    };

    public MessageDetails EnsureDetails() => Details ??= new MessageDetails();
}

/// <summary>What few messages have.</summary>
internal sealed class MessageDetails
{
    public string? UniqueKey { get; set; }

    public int? MaxAttempts { get; set; }

    public RetryDelay? RetryDelay { get; set; }

    public string? LastError { get; set; }

    public string? LastWorker { get; set; }

    public DeadLetter? DeadLetter { get; set; }

    public string? TraceParent { get; set; }

    public int Looks { get; set; }

    /// <summary>Until when the id stays known; 0 where it does not.</summary>
    public long KnownUntilMs { get; set; }
}

/// <summary>The current lease of a message.</summary>
/// <param name="Receipt">What must be presented.</param>
/// <param name="UntilMs">When it ends; <see cref="long.MaxValue"/> while its holder's connection guards it.</param>
/// <param name="Worker">Who holds it.</param>
/// <param name="Delivery">Only for the time of a write; not recorded, no attempt.</param>
/// <param name="CallerUntilMs">When it ends by the clock of a caller who chose by a time of its own; 0 where none did.</param>
internal sealed record LeaseDetails(Receipt Receipt, long UntilMs, string? Worker, bool Delivery, long CallerUntilMs = 0);

/// <summary>The order in which ready messages come out, and, with equal priorities, that in which delayed ones fall due.</summary>
internal sealed class DeliveryOrder : IComparer<StoredMessage>
{
    public static DeliveryOrder Instance { get; } = new();

    public int Compare(StoredMessage? x, StoredMessage? y)
    {
        var byTime = x!.AvailableAtMs.CompareTo(y!.AvailableAtMs);
        return byTime != 0 ? byTime : x.Sequence.CompareTo(y.Sequence);
    }
}

/// <summary>The order in which leases end.</summary>
internal sealed class LeaseEndOrder : IComparer<StoredMessage>
{
    public static LeaseEndOrder Instance { get; } = new();

    public int Compare(StoredMessage? x, StoredMessage? y)
    {
        var byTime = x!.Lease!.UntilMs.CompareTo(y!.Lease!.UntilMs);
        return byTime != 0 ? byTime : x.Sequence.CompareTo(y.Sequence);
    }
}

/// <summary>The order in which leases end by their callers' clocks.</summary>
internal sealed class CallerLeaseEndOrder : IComparer<StoredMessage>
{
    public static CallerLeaseEndOrder Instance { get; } = new();

    public int Compare(StoredMessage? x, StoredMessage? y)
    {
        var byTime = x!.Lease!.CallerUntilMs.CompareTo(y!.Lease!.CallerUntilMs);
        return byTime != 0 ? byTime : x.Sequence.CompareTo(y.Sequence);
    }
}

/// <summary>The order in which messages expire.</summary>
internal sealed class ExpiryOrder : IComparer<StoredMessage>
{
    public static ExpiryOrder Instance { get; } = new();

    public int Compare(StoredMessage? x, StoredMessage? y)
    {
        var byTime = x!.ExpiresAtMs.CompareTo(y!.ExpiresAtMs);
        return byTime != 0 ? byTime : x.Sequence.CompareTo(y.Sequence);
    }
}
