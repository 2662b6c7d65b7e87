namespace PushQueue.Queues;

/// <summary>A stored message as it is given out. Does not change once the store has given it out; the body is never copied again.</summary>
internal sealed class Message
{
    public required QueueName Queue { get; init; }

    public required MessageId Id { get; init; }

    /// <summary>Set by the store, which may have to read it from disk, before it gives the message out.</summary>
    public ReadOnlyMemory<byte> Body { get; set; }

    public required string ContentType { get; init; }

    public required MessageState State { get; init; }

    public required DateTimeOffset EnqueuedAt { get; init; }

    /// <summary>When it became or becomes available.</summary>
    public required DateTimeOffset AvailableAt { get; init; }

    public DateTimeOffset? ExpiresAt { get; init; }

    public int Priority { get; init; }

    /// <summary>How often it has been leased, the current lease included; 1 for a message that was just taken for the first time.</summary>
    public int Attempt { get; init; }

    public string? UniqueKey { get; init; }

    /// <summary>The key of its put; null for none.</summary>
    public string? Key { get; init; }

    /// <summary>The headers of its put; null for none.</summary>
    public MessageHeaders? Headers { get; init; }

    /// <summary>The number it got when it was broadcast; 0 where it never was.</summary>
    public long Offset { get; init; }

    /// <summary>How often the message was looked at without being taken (<see cref="IMessageBrowser.LookAsync"/>).</summary>
    public int Looks { get; init; }

    public DateTimeOffset? LeasedUntil { get; init; }

    /// <summary>Set by the last release or the end of the last lease.</summary>
    public string? LastError { get; init; }

    public string? LastWorker { get; init; }

    /// <summary>W3C trace context of its put; null if the put had none.</summary>
    public string? TraceParent { get; init; }

    /// <summary>Only in a dead-letter queue: why and from where it came.</summary>
    public DeadLetter? DeadLetter { get; init; }
}

/// <summary>Why a message is in a dead-letter queue.</summary>
/// <param name="Source">The queue it came from.</param>
/// <param name="Reason"><c>max-attempts</c>, <c>rejected</c>, or what the operator gave.</param>
/// <param name="Attempts">How often it had been leased.</param>
/// <param name="At">When it was dead-lettered.</param>
internal sealed record DeadLetter(QueueName Source, string Reason, int Attempts, DateTimeOffset At);
