using PushQueue.Queues;

namespace PushQueue.Storage.Redis;

/// <summary>Where the shared queues are and how they are kept there.</summary>
internal sealed record RedisStoreOptions
{
    /// <summary>
    /// The most messages that one batch may hold, whatever <c>--limit batch</c> says. A batch is one script, during which Redis serves
    /// nobody else: about 6 microseconds a message.
    /// </summary>
    public const int BatchMessagesMax = 100_000;

    /// <summary>Addresses and credentials, as <see cref="RedisAddress"/> reads them.</summary>
    public required string Configuration { get; init; }

    /// <summary>
    /// A PEM file with the certificates of the only authorities to trust for TLS; null for those that the machine trusts.
    /// </summary>
    public string? CertificateAuthority { get; init; }

    /// <summary>Begins every key, so that several installations can share one Redis.</summary>
    public string KeyPrefix { get; init; } = "pq";

    /// <summary>A put is answered when so many replicas have it too; 0 for none.</summary>
    public int WaitForReplicas { get; init; }

    /// <summary>
    /// True: the time of the queues is Redis's, whatever the clock of this node shows. False: it is that of the node's
    /// <see cref="TimeProvider"/>, for a program that controls the time itself.
    /// </summary>
    public bool FollowsClockOfRedis { get; init; }

    /// <summary>Which queues go when nobody uses them, where they have no setting of their own.</summary>
    public IReadOnlyList<QueueExpiry> Expires { get; init; } = [];

    /// <summary>Counts faults in background work; null for a store that is used without a host.</summary>
    public MessageMeter? Meter { get; init; }

    /// <summary>How long one command may take before the store counts as out of reach.</summary>
    public TimeSpan CommandTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a node that starts waits before it tries again to reach Redis.</summary>
    public TimeSpan StartInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The interval of heartbeats.</summary>
    public TimeSpan HeartbeatInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a node counts as alive after its last heartbeat.</summary>
    public TimeSpan NodeTimeout { get; init; } = TimeSpan.FromSeconds(4);
}
