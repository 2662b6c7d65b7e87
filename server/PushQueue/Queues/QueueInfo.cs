namespace PushQueue.Queues;

/// <summary>One queue at one moment.</summary>
internal sealed record QueueInfo
{
    public required QueueName Name { get; init; }

    public required QueueSettings Settings { get; init; }

    public long Ready { get; init; }

    public long Delayed { get; init; }

    public long Leased { get; init; }

    /// <summary>Keys that have live messages.</summary>
    public long Keys { get; init; }

    /// <summary>Keys whose ready messages all wait for others of the key.</summary>
    public long BlockedKeys { get; init; }

    /// <summary>Messages in history.</summary>
    public long History { get; init; }

    /// <summary>Bytes of the bodies of all live messages.</summary>
    public long Bytes { get; init; }

    /// <summary>When the oldest ready message was put; null where none is ready.</summary>
    public DateTimeOffset? OldestReadyAt { get; init; }

    /// <summary>When the earliest delayed message becomes available.</summary>
    public DateTimeOffset? NextDelayedAt { get; init; }

    public required BroadcastPosition Position { get; init; }

    public required QueueCounters Counters { get; init; }

    /// <summary>
    /// Whether the queue still copies what the sources of its subscriptions held when these began. Until then it gives nothing out.
    /// </summary>
    public bool IsCopying { get; init; }

    /// <summary>Live messages: ready, delayed and leased.</summary>
    public long Waiting => Ready + Delayed + Leased;
}

/// <summary>How far a queue's broadcast has come.</summary>
/// <param name="Epoch">Changes only where the store cannot prove that offsets go on.</param>
/// <param name="FirstOffset">The oldest offset in history; equal to <paramref name="NextOffset"/> where history is empty.</param>
/// <param name="NextOffset">The offset that the next broadcast message gets; 1 in a new queue.</param>
/// <param name="EpochOffset">The first offset that was given out in this epoch; history may still hold earlier ones.</param>
internal readonly record struct BroadcastPosition(string Epoch, long FirstOffset, long NextOffset, long EpochOffset = 1);

/// <summary>
/// Counts of what a queue has done since it was made. Counts survive a restart but may miss the last moments before a crash.
/// </summary>
internal sealed record QueueCounters
{
    public long Put { get; init; }

    /// <summary>Given out and gone: taken, acked, or written to a stream.</summary>
    public long Delivered { get; init; }

    /// <summary>Leases acked by their worker.</summary>
    public long Acked { get; init; }

    /// <summary>Leases that ended by a release or a timeout.</summary>
    public long Failed { get; init; }

    public long Cancelled { get; init; }

    /// <summary>Dropped because their time to live ended.</summary>
    public long Expired { get; init; }

    /// <summary>Dropped because the queue was full.</summary>
    public long Dropped { get; init; }

    public long DeadLettered { get; init; }

    /// <summary>Messages that could not be given out because the disk damaged them.</summary>
    public long Lost { get; init; }

    /// <summary>The sums of both.</summary>
    public QueueCounters Plus(QueueCounters other) => new()
    {
        Put = Put + other.Put,
        Delivered = Delivered + other.Delivered,
        Acked = Acked + other.Acked,
        Failed = Failed + other.Failed,
        Cancelled = Cancelled + other.Cancelled,
        Expired = Expired + other.Expired,
        Dropped = Dropped + other.Dropped,
        DeadLettered = DeadLettered + other.DeadLettered,
        Lost = Lost + other.Lost,
    };

    /// <summary>The counts since an earlier look; all of them if the queue was made again meanwhile, or was not known.</summary>
    public QueueCounters Since(QueueCounters? earlier)
    {
        if (earlier is null || Put < earlier.Put || Delivered < earlier.Delivered)
        {
            return this;
        }

        return new QueueCounters
        {
            Put = Put - earlier.Put,
            Delivered = Delivered - earlier.Delivered,
            Acked = Math.Max(0, Acked - earlier.Acked),
            Failed = Math.Max(0, Failed - earlier.Failed),
            Cancelled = Math.Max(0, Cancelled - earlier.Cancelled),
            Expired = Math.Max(0, Expired - earlier.Expired),
            Dropped = Math.Max(0, Dropped - earlier.Dropped),
            DeadLettered = Math.Max(0, DeadLettered - earlier.DeadLettered),
            Lost = Math.Max(0, Lost - earlier.Lost),
        };
    }
}

/// <summary>Some of the queues, in the order of their names (ordinal).</summary>
/// <param name="Queues">The page.</param>
/// <param name="Total">How many queues there are in all.</param>
/// <param name="Next">The <c>after</c> of the next page; null on the last.</param>
internal sealed record QueuePage(IReadOnlyList<QueueInfo> Queues, long Total, string? Next);

/// <summary>Some of a queue's messages of one state, in the order in which they would be given out.</summary>
/// <param name="Messages">The page.</param>
/// <param name="Next">The <c>after</c> of the next page; null on the last.</param>
internal sealed record MessagePage(IReadOnlyList<Message> Messages, string? Next);

/// <summary>A key that has live messages.</summary>
/// <param name="Key">The key.</param>
/// <param name="Ready">Messages that are ready, those included that wait for others of the key.</param>
/// <param name="Delayed">Messages that are delayed, or wait to be tried again.</param>
/// <param name="InFlight">Messages that are leased.</param>
/// <param name="Blocked">Whether all ready messages wait for others of the key.</param>
/// <param name="OldestReadyAt">When the first of the ready messages was put; null where none is ready.</param>
internal sealed record KeyInfo(string Key, long Ready, long Delayed, long InFlight, bool Blocked, DateTimeOffset? OldestReadyAt);

/// <summary>Some of a queue's keys, in the order of <see cref="KeyNames"/>.</summary>
/// <param name="Keys">The page.</param>
/// <param name="Next">The <c>after</c> of the next page; null on the last.</param>
internal sealed record KeyPage(IReadOnlyList<KeyInfo> Keys, string? Next)
{
    public static KeyPage Empty { get; } = new([], null);
}

/// <summary>A stretch of a queue's history.</summary>
/// <param name="Messages">In the order of their offsets; one is left out where the disk has damaged its message.</param>
/// <param name="Position">Where the broadcast stood when the stretch was read.</param>
internal sealed record HistoryPage(IReadOnlyList<Message> Messages, BroadcastPosition Position);
