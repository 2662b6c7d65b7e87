namespace PushQueue.Client;

/// <summary>How a message is put. Options that are null are left to the queue's settings.</summary>
public sealed record PutOptions
{
    /// <summary>1 to 255 bytes of UTF-8. An id that is known already stores nothing, so a put with an id may be repeated; null for the next
    /// number.</summary>
    public string? Id { get; init; }

    /// <summary>Available after this.</summary>
    public TimeSpan? Delay { get; init; }

    /// <summary>Available from this time, by the server's clock. Not together with <see cref="Delay"/>.</summary>
    public DateTimeOffset? At { get; init; }

    /// <summary>Dropped if no consumer takes it within this time after it became available.</summary>
    public TimeSpan? TimeToLive { get; init; }

    /// <summary>0 to 9; higher goes first. Default 0.</summary>
    public int? Priority { get; init; }

    /// <summary>Refused with <see cref="ProblemTypes.UniqueKeyTaken"/> while a message with that key waits.</summary>
    public string? UniqueKey { get; init; }

    /// <summary>The key of the message, such as <c>customer-7</c>; 1 to 255 bytes of UTF-8. Any number of messages may have
    /// it.</summary>
    public string? Key { get; init; }

    /// <summary>Names and values that travel with the message: up to 32, 4096 bytes together. Names have 1 to 64 of <c>a</c> to <c>z</c>,
    /// <c>0</c> to <c>9</c>, <c>.</c>, <c>_</c> and <c>-</c>; upper case becomes lower case.</summary>
    public IReadOnlyDictionary<string, string>? Headers { get; init; }

    /// <summary>1 to 1000 leases before it is dead-lettered.</summary>
    public int? MaxAttempts { get; init; }

    /// <summary>The wait after a failed attempt: a duration such as <c>5s</c>, or <c>exponential:1s..5m</c>.</summary>
    public string? RetryDelay { get; init; }

    /// <summary><c>broadcast</c> or <c>roundrobin</c>: the policy of the queue where it has none yet; null to leave it alone. A queue that
    /// has a policy keeps it.</summary>
    public string? Policy { get; init; }

    /// <summary>The put is answered when the message has ended, or after this (0 to 60 s). Only for a single put.</summary>
    public TimeSpan? WaitForAck { get; init; }
}
