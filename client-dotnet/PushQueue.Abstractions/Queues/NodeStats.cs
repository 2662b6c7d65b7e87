namespace PushQueue.Client;

/// <summary>A node and the sums over its queues.</summary>
public sealed record NodeStats
{
    /// <summary>The node itself.</summary>
    public NodeInfo Node { get; init; } = new();

    /// <summary>How many queues there are.</summary>
    public long Queues { get; init; }

    /// <summary>Messages that can be delivered.</summary>
    public long Ready { get; init; }

    /// <summary>Messages that are not available yet.</summary>
    public long Delayed { get; init; }

    /// <summary>Messages that a worker holds.</summary>
    public long Leased { get; init; }

    /// <summary>Broadcast messages that are kept for resuming.</summary>
    public long History { get; init; }

    /// <summary>Bytes of the bodies of all live messages.</summary>
    public long Bytes { get; init; }

    /// <summary>Puts a second, of late.</summary>
    public double PutPerSecond { get; init; }

    /// <summary>Messages delivered per second, recently.</summary>
    public double DeliveredPerSecond { get; init; }

    /// <summary>The counters.</summary>
    public QueueCounters Counters { get; init; } = new();
}

/// <summary>One server process.</summary>
public sealed record NodeInfo
{
    /// <summary>The server's version.</summary>
    public string Version { get; init; } = "";

    /// <summary>How long it runs.</summary>
    public double UptimeSeconds { get; init; }

    /// <summary>The kind of store.</summary>
    public string Store { get; init; } = "";

    /// <summary>The promise of the answer to a put.</summary>
    public string Durability { get; init; } = "";

    /// <summary>Takes that wait for a message.</summary>
    public long WaitingTakes { get; init; }

    /// <summary>Workers with a name.</summary>
    public long Workers { get; init; }

    /// <summary>Memory of the process.</summary>
    public long MemoryBytes { get; init; }
}
