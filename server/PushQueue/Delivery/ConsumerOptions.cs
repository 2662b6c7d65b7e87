using PushQueue.Delivery.Encoding;
using PushQueue.Queues;

namespace PushQueue.Delivery;

/// <summary>The options with which a consumer subscribed.</summary>
internal sealed record ConsumerOptions
{
    /// <summary>
    /// One at a time, so that a message never waits behind another in a slow consumer's connection while a fast one idles. A message that
    /// is written to a connection cannot move to another consumer. A consumer that wants more throughput than one round trip a message
    /// asks for it.
    /// </summary>
    public const int ManualPrefetchDefault = 1;

    public const int PrefetchMax = 10_000;

    public const int WhoBytesMax = 1024;

    // An auto consumer's messages are done as soon as they are written, so more of them may be under way than a worker would hold.
    private const int AutoPrefetchDefault = 128;

    public static ConsumerOptions Default { get; } = new();

    public AckMode Ack { get; init; }

    /// <summary>Messages that may be on their way to this consumer under roundrobin; null for what suits its ack mode.</summary>
    public int? Prefetch { get; init; }

    /// <summary>Messages that may be on their way at once.</summary>
    public int PrefetchOrDefault => Prefetch ?? (Ack == AckMode.Manual ? ManualPrefetchDefault : AutoPrefetchDefault);

    /// <summary>The end of a manual consumer's leases; null for leases that live with the connection.</summary>
    public TimeSpan? TimeToRun { get; init; }

    /// <summary>The body alone instead of the envelope.</summary>
    public bool Raw { get; init; }

    public StartPosition From { get; init; }

    public OverflowPolicy Overflow { get; init; }

    /// <summary>How long a manual consumer's messages wait for it after its connection dropped; zero to give them back at once.</summary>
    public TimeSpan Grace { get; init; }

    /// <summary>The token of the consumer whose place it takes up; null for a new one.</summary>
    public string? Token { get; init; }

    /// <summary>
    /// A name that the client chose for this stream and keeps when it connects again: an earlier stream of the queue with that name ends.
    /// </summary>
    public string? Instance { get; init; }

    /// <summary>The policy of the queue where it has none yet; null where the consumer did not say.</summary>
    public DeliveryPolicy? Policy { get; init; }

    /// <summary>The policy that the queue needs where it has none yet: a consumer that acks cannot work with a broadcast.</summary>
    public DeliveryPolicy? NeededPolicy => Policy ?? (Ack == AckMode.Manual ? DeliveryPolicy.RoundRobin : null);

    /// <summary>
    /// A JSON object with which the client tells others who it is (<see cref="WhoBytesMax"/> bytes at most); null where it does not. The
    /// server neither reads nor checks what it says.
    /// </summary>
    public byte[]? Who { get; init; }

    /// <summary>Which messages it gets; null for all.</summary>
    public MessageFilter? Filter { get; init; }

    /// <summary>The worker's name, for its counters.</summary>
    public string? Worker { get; init; }
}

internal enum AckMode
{
    /// <summary>A message is done once it is written to the connection.</summary>
    Auto = 0,

    /// <summary>A message is leased to the consumer, which acks it.</summary>
    Manual,
}

/// <summary>The treatment of a broadcast consumer whose connection has no more room.</summary>
internal enum OverflowPolicy
{
    /// <summary>The connection is closed with a reason; the consumer resumes from its cursor.</summary>
    Disconnect = 0,

    /// <summary>The oldest waiting messages are dropped until a quarter of the room is free; a gap reports it.</summary>
    DropOldest,

    /// <summary>Everything that waits is dropped for the newest; a gap reports it.</summary>
    Latest,
}
