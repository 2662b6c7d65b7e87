using PushQueue.Queues;

namespace PushQueue.Storage.Log;

/// <summary>Where and how a log is kept.</summary>
internal sealed class LogOptions
{
    public required string Directory { get; init; }

    public Durability Durability { get; init; } = Durability.Synced;

    /// <summary>A segment that has reached this many bytes is closed and the next one begun.</summary>
    public long SegmentBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>Bytes set aside on the disk, so that records can still be written when it is full.</summary>
    public int ReserveBytes { get; init; } = 1024 * 1024;

    /// <summary>Bytes of zeros kept ahead of the log's end under <see cref="DurabilityMode.Synced"/>; see <see
    /// cref="RoomAhead"/>.</summary>
    public int RoomAheadBytes { get; init; } = 1024 * 1024;

    /// <summary>The types of records that only add something: a full disk drops them.</summary>
    public IReadOnlySet<byte> OnlyAdds { get; init; } = new HashSet<byte>();

    /// <summary>Called after each flush to the disk with the time that it took; null where nobody counts.</summary>
    public Action<TimeSpan>? Flushed { get; init; }
}
