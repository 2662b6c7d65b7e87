using PushQueue.Storage.Redis;

namespace PushQueue.Storage;

/// <summary>Where and how messages are kept.</summary>
public sealed class StorageOptions
{
    /// <summary>The folder of the embedded store; made where it does not exist.</summary>
    public string DataDirectory { get; set; } = "./data";

    /// <summary>The promise of the answer to a put: <c>synced</c>, <c>interval:50ms</c> or <c>memory</c>.</summary>
    public string Durability { get; set; } = "synced";

    /// <summary>
    /// The Redis whose queues several nodes share, as a URL (<c>redis://user:password@host:6379/2</c>, <c>rediss://</c> for TLS) or as
    /// <c>HOST:PORT</c>, several separated by commas, then options of StackExchange.Redis such as <c>password=</c> or <c>serviceName=</c>.
    /// Null for the embedded store.
    /// </summary>
    public string? Redis { get; set; }

    /// <summary>
    /// With Redis over TLS: a PEM file with the certificates of the only authorities to trust. Null for those that the machine trusts.
    /// </summary>
    public string? RedisCertificateAuthority { get; set; }

    /// <summary>With Redis: the number of replicas that must have a message before its put is answered, 0 to 10.</summary>
    public int RedisWait { get; set; }

    /// <summary>
    /// With Redis: begins every key and channel, so that several installations can share one database. 1 to 32 ASCII letters and digits.
    /// </summary>
    public string RedisKeyPrefix { get; set; } = "pq";

    /// <summary>The addresses in <see cref="Redis"/>, without user names and passwords; null without Redis.</summary>
    /// <exception cref="FormatException"><see cref="Redis"/> cannot be used.</exception>
    public string? RedisServers => Redis is { } text ? RedisAddress.Shown(text) : null;

    /// <summary>A segment of the log that has reached this many bytes is closed and the next one begun.</summary>
    public long SegmentBytes { get; set; } = 64 * 1024 * 1024;

    /// <summary>Bytes of bodies that are kept in memory in addition to the log.</summary>
    public long CacheBytesMax { get; set; } = 64 * 1024 * 1024;
}
