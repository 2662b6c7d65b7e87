namespace PushQueue.Client;

/// <summary>The settings of a queue.</summary>
public sealed record QueueSettings
{
    /// <summary>The queue.</summary>
    public string Queue { get; init; } = "";

    /// <summary><c>broadcast</c>: every connected consumer gets each message; <c>roundrobin</c>: one of them, in turn.</summary>
    public string Policy { get; init; } = "";

    /// <summary><c>started</c> or <c>stopped</c>.</summary>
    public string Status { get; init; } = "";

    /// <summary>Of a lease that does not say: a duration such as <c>30s</c>.</summary>
    public string Ttr { get; init; } = "";

    /// <summary>How often a message is delivered before it is dead-lettered.</summary>
    public int MaxAttempts { get; init; }

    /// <summary>The wait after a failed attempt: a duration, or <c>exponential:MIN..MAX</c>.</summary>
    public string RetryDelay { get; init; } = "";

    /// <summary>How long after its put an id stays known; <c>0</c>: while the message lives.</summary>
    public string DedupWindow { get; init; } = "";

    /// <summary>Null for no limit.</summary>
    public long? MaxMessages { get; init; }

    /// <summary>Null for no limit.</summary>
    public long? MaxBytes { get; init; }

    /// <summary>Of a full queue: <c>reject</c> or <c>drop-oldest</c>.</summary>
    public string Overflow { get; init; } = "";

    /// <summary>The messages that are kept for resuming.</summary>
    public HistorySettings History { get; init; } = new();

    /// <summary>False: a message that ran out of attempts is dropped.</summary>
    public bool DeadLetter { get; init; }

    /// <summary>How long the queue stays without being used before it is deleted; <c>0</c>: until somebody deletes it.</summary>
    public string Expires { get; init; } = "0";

    /// <summary>How many messages of one key may be leased at once; 0 for no limit.</summary>
    public int KeyInFlight { get; init; }

    /// <summary>Whether the keys take turns; the messages without a key are one key.</summary>
    public bool Fair { get; init; }

    /// <summary>The queues whose messages are also put into this one.</summary>
    public IReadOnlyList<QueueSubscription> Subscriptions { get; init; } = [];
}

/// <summary>The messages that a broadcast queue keeps for resuming.</summary>
public sealed record HistorySettings
{
    /// <summary>At most this many messages.</summary>
    public long? Messages { get; init; }

    /// <summary>At most so old: a duration such as <c>10m</c>.</summary>
    public string? Age { get; init; }

    /// <summary>Whether the newest message of each key is kept beyond these limits, until a message of that key with an empty
    /// body.</summary>
    public bool? PerKey { get; init; }
}

/// <summary>A change of settings; what is null stays as it is. Values are as in <see cref="QueueSettings"/>.</summary>
public sealed record QueueSettingsChange
{
    /// <summary><c>broadcast</c> or <c>roundrobin</c>.</summary>
    public string? Policy { get; init; }

    /// <summary><c>started</c> or <c>stopped</c>.</summary>
    public string? Status { get; init; }

    /// <summary>Of a lease that does not say.</summary>
    public string? Ttr { get; init; }

    /// <summary>1 to 1000.</summary>
    public int? MaxAttempts { get; init; }

    /// <summary>A duration, or <c>exponential:MIN..MAX</c>.</summary>
    public string? RetryDelay { get; init; }

    /// <summary>A duration; <c>0</c>: while the message lives.</summary>
    public string? DedupWindow { get; init; }

    /// <summary>0 for no limit.</summary>
    public long? MaxMessages { get; init; }

    /// <summary>0 for no limit.</summary>
    public long? MaxBytes { get; init; }

    /// <summary><c>reject</c> or <c>drop-oldest</c>.</summary>
    public string? Overflow { get; init; }

    /// <summary>The messages that are kept for resuming.</summary>
    public HistorySettings? History { get; init; }

    /// <summary>False: a message that ran out of attempts is dropped.</summary>
    public bool? DeadLetter { get; init; }

    /// <summary>A duration of at least a minute; <c>0</c>: the queue stays until somebody deletes it.</summary>
    public string? Expires { get; init; }

    /// <summary>0 to 1,000,000; 0 for no limit.</summary>
    public int? KeyInFlight { get; init; }

    /// <summary>Whether the keys take turns.</summary>
    public bool? Fair { get; init; }

    /// <summary>The queues whose messages are also put into this one, in place of all subscriptions that it has; empty for none.</summary>
    public IReadOnlyList<QueueSubscription>? Subscriptions { get; init; }
}
