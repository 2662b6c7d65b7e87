namespace PushQueue.Queues;

/// <summary>Which consumers get a message. The numbers are on disk: they may only ever grow.</summary>
internal enum DeliveryPolicy : byte
{
    /// <summary>Every connected consumer gets each message.</summary>
    Broadcast = 1,

    /// <summary>Each message goes to exactly one consumer, in turn.</summary>
    RoundRobin = 2,
}

/// <summary>The treatment of a put when the queue is full. The numbers are on disk: they may only ever grow.</summary>
internal enum FullQueuePolicy : byte
{
    /// <summary>The put is refused with <see cref="QueueError.QueueFull"/>.</summary>
    Reject = 0,

    /// <summary>The oldest ready messages are dropped to make room.</summary>
    DropOldest = 1,
}

/// <summary>One queue's settings. Immutable; changed with <c>with</c> or a <see cref="QueueSettingsPatch"/>.</summary>
internal sealed record QueueSettings
{
    public static QueueSettings Default { get; } = new();

    /// <summary>Null where it was never set; then <see cref="EffectivePolicy"/> applies.</summary>
    public DeliveryPolicy? Policy { get; init; }

    /// <summary>A stopped queue accepts puts and gives nothing out.</summary>
    public bool Stopped { get; init; }

    /// <summary>How long a lease lasts where the request does not say.</summary>
    public TimeSpan TimeToRun { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Leases before a message is dead-lettered, at least 1.</summary>
    public int MaxAttempts { get; init; } = 5;

    public RetryDelay RetryDelay { get; init; } = RetryDelay.None;

    /// <summary>How long after a put its id stays known, whatever becomes of the message; zero: while the message lives.</summary>
    public TimeSpan DedupWindow { get; init; }

    /// <summary>Null for no limit.</summary>
    public long? MaxMessages { get; init; }

    /// <summary>Bytes of all bodies; null for no limit.</summary>
    public long? MaxBytes { get; init; }

    public FullQueuePolicy Overflow { get; init; }

    /// <summary>How many broadcast messages are kept for resuming.</summary>
    public int HistoryMessages { get; init; } = 10_000;

    /// <summary>How long a broadcast message is kept for resuming.</summary>
    public TimeSpan HistoryAge { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>
    /// Whether the newest broadcast message of each key stays in history beyond its limits, until a message of that key with an empty body.
    /// </summary>
    public bool HistoryPerKey { get; init; }

    /// <summary>Whether messages that ran out of attempts go to the dead-letter queue; where not, they are dropped.</summary>
    public bool DeadLetter { get; init; } = true;

    /// <summary>How many messages of one key may be leased, or wait to be tried again, at once; 0 for no limit.</summary>
    public int KeyInFlight { get; init; } = 1;

    /// <summary>Whether the keys take turns; the messages without a key are one key.</summary>
    public bool Fair { get; init; }

    /// <summary>Where the queue's messages are pushed to by HTTP; null for nowhere.</summary>
    public string? PushUrl { get; init; }

    /// <summary>
    /// How long the queue stays without being used before it is deleted; zero for as long as nobody deletes it. Null where it was never
    /// set.
    /// </summary>
    public TimeSpan? Expires { get; init; }

    /// <summary>The queues whose messages are also put into this one.</summary>
    public QueueSubscriptions Subscriptions { get; init; } = QueueSubscriptions.None;

    public DeliveryPolicy EffectivePolicy => Policy ?? DeliveryPolicy.Broadcast;
}

/// <summary>Which queues a change of settings applies to. The store checks it in the same step as the change.</summary>
internal enum SettingsCondition
{
    /// <summary>Every queue.</summary>
    Always = 0,

    /// <summary>Only a queue that does not exist yet.</summary>
    NewQueue,

    /// <summary>
    /// A queue that does not exist yet, or whose policy was never set and that has broadcast nothing: nobody relies on its policy.
    /// </summary>
    UndecidedPolicy,

    /// <summary>A queue whose <see cref="QueueSettings.Expires"/> was never set.</summary>
    UndecidedExpiry,
}

/// <summary>A change of settings; null leaves a setting as it is. Limits are removed by zero.</summary>
internal sealed record QueueSettingsPatch
{
    /// <summary>When the change applies; where it does not, nothing changes and the settings are returned as they are.</summary>
    public SettingsCondition Condition { get; init; }

    public DeliveryPolicy? Policy { get; init; }

    public bool? Stopped { get; init; }

    public TimeSpan? TimeToRun { get; init; }

    public int? MaxAttempts { get; init; }

    public RetryDelay? RetryDelay { get; init; }

    public TimeSpan? DedupWindow { get; init; }

    /// <summary>0 removes the limit.</summary>
    public long? MaxMessages { get; init; }

    /// <summary>0 removes the limit.</summary>
    public long? MaxBytes { get; init; }

    public FullQueuePolicy? Overflow { get; init; }

    public int? HistoryMessages { get; init; }

    public TimeSpan? HistoryAge { get; init; }

    public bool? HistoryPerKey { get; init; }

    public bool? DeadLetter { get; init; }

    /// <summary>0 removes the limit.</summary>
    public int? KeyInFlight { get; init; }

    public bool? Fair { get; init; }

    /// <summary>An empty one removes it.</summary>
    public string? PushUrl { get; init; }

    /// <summary>Zero: the queue stays until somebody deletes it.</summary>
    public TimeSpan? Expires { get; init; }

    /// <summary>All of them, those that stay included.</summary>
    public QueueSubscriptions? Subscriptions { get; init; }

    /// <summary>Sets the policy of a queue that has none yet.</summary>
    public static QueueSettingsPatch PolicyOf(DeliveryPolicy policy, SettingsCondition condition) =>
        new() { Policy = policy, Condition = condition };

    public QueueSettings ApplyTo(QueueSettings settings) => settings with
    {
        Policy = Policy ?? settings.Policy,
        Stopped = Stopped ?? settings.Stopped,
        TimeToRun = TimeToRun ?? settings.TimeToRun,
        MaxAttempts = MaxAttempts ?? settings.MaxAttempts,
        RetryDelay = RetryDelay ?? settings.RetryDelay,
        DedupWindow = DedupWindow ?? settings.DedupWindow,
        MaxMessages = MaxMessages is { } messages ? (messages == 0 ? null : messages) : settings.MaxMessages,
        MaxBytes = MaxBytes is { } bytes ? (bytes == 0 ? null : bytes) : settings.MaxBytes,
        Overflow = Overflow ?? settings.Overflow,
        HistoryMessages = HistoryMessages ?? settings.HistoryMessages,
        HistoryAge = HistoryAge ?? settings.HistoryAge,
        HistoryPerKey = HistoryPerKey ?? settings.HistoryPerKey,
        DeadLetter = DeadLetter ?? settings.DeadLetter,
        KeyInFlight = KeyInFlight ?? settings.KeyInFlight,
        Fair = Fair ?? settings.Fair,
        PushUrl = PushUrl is { } url ? (url.Length == 0 ? null : url) : settings.PushUrl,
        Expires = Expires ?? settings.Expires,
        Subscriptions = Subscriptions ?? settings.Subscriptions,
    };
}
