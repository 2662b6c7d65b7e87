namespace PushQueue.Client;

/// <summary>One queue at one moment.</summary>
public sealed record QueueInfo
{
    /// <summary>Its name.</summary>
    public string Queue { get; init; } = "";

    /// <summary><c>broadcast</c> or <c>roundrobin</c>.</summary>
    public string Policy { get; init; } = "";

    /// <summary><c>started</c> or <c>stopped</c>.</summary>
    public string Status { get; init; } = "";

    /// <summary>Messages that can be delivered.</summary>
    public long Ready { get; init; }

    /// <summary>Messages that are not available yet.</summary>
    public long Delayed { get; init; }

    /// <summary>Messages that a worker holds.</summary>
    public long Leased { get; init; }

    /// <summary>Broadcast messages that are kept for resuming.</summary>
    public long History { get; init; }

    /// <summary>Keys that have live messages.</summary>
    public long Keys { get; init; }

    /// <summary>Keys whose ready messages wait for others of the key.</summary>
    public long BlockedKeys { get; init; }

    /// <summary>Bytes of the bodies of its live messages.</summary>
    public long Bytes { get; init; }

    /// <summary>Consumers that are connected to the node that answered.</summary>
    public int Consumers { get; init; }

    /// <summary>How long the oldest ready message has waited; null if no message is ready.</summary>
    public double? OldestAgeSeconds { get; init; }

    /// <summary>When the next delayed message becomes ready, by the server's clock.</summary>
    public DateTimeOffset? NextDelayedAt { get; init; }

    /// <summary>Puts a second, of late.</summary>
    public double PutPerSecond { get; init; }

    /// <summary>Messages delivered per second, recently.</summary>
    public double DeliveredPerSecond { get; init; }

    /// <summary>Its counters since it was made.</summary>
    public QueueCounters Counters { get; init; } = new();

    /// <summary>The first half of its cursors; changes only where the server cannot prove that its offsets go on.</summary>
    public string Epoch { get; init; } = "";

    /// <summary>The oldest offset in history; <see cref="NextOffset"/> for an empty history.</summary>
    public long FirstOffset { get; init; }

    /// <summary>The offset of the next message that is broadcast.</summary>
    public long NextOffset { get; init; }

    /// <summary>
    /// Whether the queue copies what the sources of its subscriptions held when these began. It gives nothing out until then.
    /// </summary>
    public bool Copying { get; init; }

    /// <summary>The queues that subscribe to this one; null in lists of queues.</summary>
    public IReadOnlyList<string>? Subscribers { get; init; }
}

/// <summary>The counters of a queue, or all queues of a node, have done.</summary>
public sealed record QueueCounters
{
    /// <summary>Messages put.</summary>
    public long Put { get; init; }

    /// <summary>Delivered and removed.</summary>
    public long Delivered { get; init; }

    /// <summary>Leases acked.</summary>
    public long Acked { get; init; }

    /// <summary>Leases that ended by a release or a timeout.</summary>
    public long Failed { get; init; }

    /// <summary>Messages cancelled.</summary>
    public long Cancelled { get; init; }

    /// <summary>Dropped because their time to live ended.</summary>
    public long Expired { get; init; }

    /// <summary>Dropped because the queue was full.</summary>
    public long Dropped { get; init; }

    /// <summary>Moved to the dead letters.</summary>
    public long DeadLettered { get; init; }

    /// <summary>Messages that the disk damaged, so that no consumer could be given them.</summary>
    public long Lost { get; init; }
}
