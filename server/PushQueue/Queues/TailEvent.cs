namespace PushQueue.Queues;

/// <summary>An event of a message, for watchers.</summary>
internal enum TailEventKind
{
    Put = 0,

    /// <summary>Handed out: pushed to a consumer, or taken, or leased.</summary>
    HandedOut,

    /// <summary>The message has ended: acked, taken, or broadcast. May be reported before the event that it was given.</summary>
    Done,

    /// <summary>Its lease ended without an ack; it comes again.</summary>
    Returned,

    /// <summary>It left for good without an ack: dead-lettered, cancelled, dropped.</summary>
    Ended,
}

/// <summary>One thing that happened to one message.</summary>
/// <param name="Kind">The event.</param>
/// <param name="Id">The message's id.</param>
/// <param name="At">When.</param>
internal sealed record TailEvent(TailEventKind Kind, MessageId Id, DateTimeOffset At)
{
    /// <summary>The receiver of the message, or the reason why it ended; null without either.</summary>
    public string? Note { get; init; }

    /// <summary>A copy of the body's first bytes; null where the event brings none.</summary>
    public byte[]? Start { get; init; }

    /// <summary>The length of the whole body.</summary>
    public int BodyBytes { get; init; }

    public string? ContentType { get; init; }

    /// <summary>The number of a broadcast message; else 0.</summary>
    public long Offset { get; init; }

    public int Priority { get; init; }

    public DateTimeOffset? AvailableAt { get; init; }

    public string? Key { get; init; }

    public MessageHeaders? Headers { get; init; }
}
