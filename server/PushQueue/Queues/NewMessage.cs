namespace PushQueue.Queues;

/// <summary>A message about to be put, with its options already checked.</summary>
internal sealed record NewMessage
{
    public required ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>Kept as the client gave it.</summary>
    public required string ContentType { get; init; }

    /// <summary>The client's id; null for the queue's next number.</summary>
    public MessageId? Id { get; init; }

    /// <summary>Not given out before this time; null for now.</summary>
    public DateTimeOffset? AvailableAt { get; init; }

    /// <summary>
    /// <see cref="AvailableAt"/> is kept as it is even where it is past, and orders the message; it is the caller's clock that counts
    /// (<see cref="Selection.DueBy"/>). Else a past time means now.
    /// </summary>
    public bool KeepsPastTime { get; init; }

    /// <summary>A worker puts back what it had taken for good and failed with: the put counts as failed, too.</summary>
    public bool CountsAsFailure { get; init; }

    /// <summary>
    /// How long after it becomes available the message is dropped if nobody has taken it; null for never. A later delay (of a release, a
    /// retry or a reschedule) starts the time again.
    /// </summary>
    public TimeSpan? TimeToLive { get; init; }

    /// <summary>0 to 9; higher goes first.</summary>
    public int Priority { get; init; }

    /// <summary>The put is refused while a message with this key waits (ready, delayed or leased).</summary>
    public string? UniqueKey { get; init; }

    /// <summary>Groups messages: 1 to 255 bytes of UTF-8 without control characters; null for none.</summary>
    public string? Key { get; init; }

    /// <summary>Null for none.</summary>
    public MessageHeaders? Headers { get; init; }

    /// <summary>Leases before the message is dead-lettered; null for the queue's setting.</summary>
    public int? MaxAttempts { get; init; }

    /// <summary>Wait between attempts; null for the queue's setting.</summary>
    public RetryDelay? RetryDelay { get; init; }

    /// <summary>
    /// The policy of the queue where it has none yet (<see cref="SettingsCondition.UndecidedPolicy"/>); null to leave that alone.
    /// </summary>
    public DeliveryPolicy? Policy { get; init; }

    /// <summary>W3C trace context of the put, for the receiver of the message; null without one.</summary>
    public string? TraceParent { get; set; }
}
