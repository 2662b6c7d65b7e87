using Microsoft.Extensions.Logging;

namespace PushQueue.Storage.Log;

/// <summary>
/// The behaviour of the log's writer while the disk is full: it refuses records that only add, and writes the others into the room
/// that the reserve
/// gives back. Where even that room is used up, records are owed: they are written before any later one once there is room.
/// </summary>
internal sealed partial class FullDisk(LogOptions options, ILogger logger)
{
    /// <summary>How often a full disk is tried again.</summary>
    public const int RetryMs = 250;

    private readonly DiskReserve _reserve = new(options.Directory, options.ReserveBytes);
    private readonly List<LogBatch.Chunk> _owed = [];
    private Segment? _owedBy;
    private long _lastTryMs;
    private volatile bool _isFull;

    public bool IsFull => _isFull;

    public bool OwesRecords => _owed.Count > 0;

    /// <summary>ENOSPC, EDQUOT or EFBIG: no room on the disk, in the quota, in this file.</summary>
    public static bool Refused(IOException exception) => (exception.HResult & 0xFFFF) is 28 or 122 || RefusedFile(exception);

    /// <summary>EFBIG: this file may not grow.</summary>
    public static bool RefusedFile(IOException exception) => (exception.HResult & 0xFFFF) == 27;

    /// <summary>
    /// Refuses what the batch adds and writes the rest. Nobody waits for owed records, because those who took messages have them;
    /// waiters for
    /// the disk get <see cref="CommitOutcome.DiskFull"/>.
    /// </summary>
    public void WriteWithoutAdditions(LogBatch batch, Func<LogBatch, bool> tryWrite)
    {
        if (!_isFull)
        {
            _isFull = true;
            _lastTryMs = Environment.TickCount64;
            LogDiskFull(logger, options.Directory);
        }

        _reserve.Release();
        FullDiskBatch.DropAdditions(batch, options.OnlyAdds);
        var owedBefore = _owed.Count > 0;
        if (_owedBy is { } earlier && earlier != batch.Segment)
        {
            batch.Segment.InheritReferences(earlier);
        }

        batch.Prepend(_owed);
        _owed.Clear();
        _owedBy = null;
        if (batch.Length == 0 || tryWrite(batch))
        {
            return;
        }

        _owed.AddRange(batch.TakeChunks());
        _owedBy = batch.Segment;
        batch.MarkOwed();
        if (!owedBefore)
        {
            LogReserveUsedUp(logger, options.Directory);
        }
    }

    /// <summary>Looks now and then whether there is room again: then the reserve can be made.</summary>
    /// <param name="current">The segment that is written; null where none is.</param>
    public void Retry(Segment? current)
    {
        if (!_isFull || OwesRecords || Environment.TickCount64 - _lastTryMs < RetryMs)
        {
            return;
        }

        _lastTryMs = Environment.TickCount64;
        if (_reserve.TryMake() || (TryGiveUpRoomAhead(current) && _reserve.TryMake()))
        {
            _isFull = false;
            LogDiskHasRoom(logger, options.Directory);
        }
    }

    /// <summary>The log ends.</summary>
    public void Close()
    {
        if (OwesRecords)
        {
            LogStoppedOwing(logger, options.Directory);
        }

        _reserve.Close();
    }

    /// <summary>The room ahead of the log's end takes space, too, and the reserve needs it more.</summary>
    public static bool TryGiveUpRoomAhead(Segment? current)
    {
        if (current is not { Sealed: false, HasFile: true } segment || segment.FileLength <= segment.Length)
        {
            return false;
        }

        RoomAhead.Cut(segment);
        segment.HasNoRoomAhead = true;
        return true;
    }

    [LoggerMessage(1000, LogLevel.Error, "The disk of {Directory} is full; puts are refused until there is room")]
    private static partial void LogDiskFull(ILogger logger, string directory);

    [LoggerMessage(1001, LogLevel.Warning, "The disk of {Directory} has room again; puts are accepted")]
    private static partial void LogDiskHasRoom(ILogger logger, string directory);

    [LoggerMessage(1002, LogLevel.Error, "The reserve in {Directory} is used up; after a crash, messages taken now may be delivered again")]
    private static partial void LogReserveUsedUp(ILogger logger, string directory);

    [LoggerMessage(
        1004, LogLevel.Error, "The disk of {Directory} was full until the stop; the messages taken last will be delivered again")]
    private static partial void LogStoppedOwing(ILogger logger, string directory);
}
