namespace PushQueue.Storage;

/// <summary>Where and how messages are kept.</summary>
public sealed class StorageOptions
{
    /// <summary>The folder of the embedded store; made where it does not exist.</summary>
    public string DataDirectory { get; set; } = "./data";

    /// <summary>What the answer to a put promises: <c>synced</c>, <c>interval:50ms</c> or <c>memory</c>.</summary>
    public string Durability { get; set; } = "synced";

    /// <summary>
    /// Where the Redis is whose queues several nodes share: <c>HOST:PORT</c>, more of them behind commas, and options such as <c>password=</c>.
    /// Null for the embedded store.
    /// </summary>
    public string? Redis { get; set; }

    /// <summary>With Redis: a put is answered when so many replicas have the message too.</summary>
    public int RedisWait { get; set; }

    /// <summary>With Redis: begins every key, so that several installations can share one Redis.</summary>
    public string RedisKeyPrefix { get; set; } = "pq";

    /// <summary>A segment of the log that has reached this many bytes is closed and the next one begun.</summary>
    public long SegmentBytes { get; set; } = 64 * 1024 * 1024;

    /// <summary>Bodies kept in memory beside the log, in bytes.</summary>
    public long CacheBytesMax { get; set; } = 64 * 1024 * 1024;
}
