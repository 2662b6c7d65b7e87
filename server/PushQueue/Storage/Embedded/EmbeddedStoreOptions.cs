using PushQueue.Queues;
using PushQueue.Storage.Embedded.Records;
using PushQueue.Storage.Log;

namespace PushQueue.Storage.Embedded;

/// <summary>Where and how the embedded store keeps its log.</summary>
internal sealed class EmbeddedStoreOptions
{
    public required string DataDirectory { get; init; }

    public Durability Durability { get; init; } = Durability.Synced;

    /// <summary>A segment that has reached this many bytes is closed and the next one begun.</summary>
    public long SegmentBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>Bodies kept in memory in addition to the log, in bytes.</summary>
    public long CacheBytesMax { get; init; } = 64 * 1024 * 1024;

    /// <summary>Which queues go when nobody uses them, where they have no setting of their own.</summary>
    public IReadOnlyList<QueueExpiry> Expires { get; init; } = [];

    /// <summary>Counts the flushes; null where nobody counts.</summary>
    public MessageMeter? Meter { get; init; }

    /// <summary>Bytes set aside on the disk, so that messages can still be taken from a full one.</summary>
    public int ReserveBytes { get; init; } = 1024 * 1024;

    /// <summary>
    /// Bytes of zeros kept ahead of the log's end under <see cref="DurabilityMode.Synced"/>; see <see cref="RoomAhead"/>.
    /// </summary>
    public int RoomAheadBytes { get; init; } = 1024 * 1024;

    /// <summary>The same for the log.</summary>
    public LogOptions ForLog() => new()
    {
        Directory = DataDirectory,
        Durability = Durability,
        SegmentBytes = SegmentBytes,
        ReserveBytes = ReserveBytes,
        RoomAheadBytes = RoomAheadBytes,
        OnlyAdds = MessageAppends.OnlyAdds,
        Flushed = Meter is { } meter ? meter.Flushed : null,
    };
}
