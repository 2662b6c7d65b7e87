using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using PushQueue.Queues;

namespace PushQueue.Storage.Log;

/// <summary>
/// Writes batches to disk and completes their waiters: the only code that writes segments, run by one thread at a time. <see
/// cref="FullDisk"/>
/// decides what becomes of a batch when the disk is full; any other failure breaks the log for good.
/// </summary>
/// <param name="options">Where and how.</param>
/// <param name="log">The log, whose open batch moves when a batch could not be written as planned.</param>
/// <param name="chain">Links each segment that begins with the one before it.</param>
/// <param name="logger">For the operator.</param>
internal sealed partial class LogWriter(LogOptions options, MessageLog log, SegmentChain chain, ILogger logger)
{
    /// <summary>How long records that nobody waits for may stay unflushed under <see cref="DurabilityMode.Synced"/>.</summary>
    private const int LazyFlushMs = 50;

    /// <summary>A larger batch is worth a flush that writes the file's length too, and room ahead of it would be bytes written
    /// twice.</summary>
    private const int SmallBatchBytes = 64 * 1024;

    private readonly FullDisk _fullDisk = new(options, logger);
    private readonly DurabilityMode _mode = options.Durability.Mode;
    private Segment? _current;
    private long _dirtySinceMs;
    private volatile bool _dirty;
    private volatile string? _brokenReason;

    public bool DiskFull => _fullDisk.IsFull;

    public string? BrokenReason => _brokenReason;

    /// <summary>Whether written records wait for a flush.</summary>
    public bool Dirty => _dirty;

    /// <summary>Whether all is well with disk and log.</summary>
    public bool IsPlain => !_fullDisk.IsFull && _brokenReason is null;

    /// <summary>Whether records wait here because the disk had no room even for them.</summary>
    public bool OwesRecords => _fullDisk.OwesRecords;

    public int IdleTimeoutMs()
    {
        if (_brokenReason is not null)
        {
            return Timeout.Infinite;
        }

        if (_fullDisk.IsFull)
        {
            return FullDisk.RetryMs;
        }

        return _dirty && _mode != DurabilityMode.Memory
            ? Math.Max(1, (int)(_dirtySinceMs + FlushAfterMs() - Environment.TickCount64))
            : Timeout.Infinite;
    }

    /// <summary>Whether somebody waits for the batch to be flushed.</summary>
    public bool Flushes(LogBatch batch) => _mode == DurabilityMode.Synced && (batch.NeedsSync || batch.Located.Count > 0);

    /// <param name="batch">The batch to write. It is closed for appends.</param>
    /// <param name="mayFlush">False for a caller that must not wait for the disk and has a batch that needs no flush.</param>
    public void Commit(LogBatch batch, bool mayFlush)
    {
        if (_brokenReason is not null)
        {
            End(batch, CommitOutcome.Broken);
            return;
        }

        try
        {
            _fullDisk.Retry(_current);
            if (!_fullDisk.IsFull && batch.Close(log))
            {
                _ = log.Rebase(batch.Segment, batch.Start + batch.Length, beginSegment: false);
            }

            if (_fullDisk.IsFull || !TryWrite(batch))
            {
                _fullDisk.WriteWithoutAdditions(batch, TryWrite);
                _ = log.Rebase(batch.Segment, batch.Start + batch.Length, beginSegment: false);
            }

            batch.CompleteWritten(CommitOutcome.Committed);
            if (mayFlush)
            {
                FlushIfNeeded(batch);
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ObjectDisposedException)
        {
            Break(exception);
            End(batch, CommitOutcome.Broken);
            return;
        }

        NotifyOwners(batch);
        End(batch, CommitOutcome.Committed);
    }

    /// <summary>Nothing to write: flush what has lain unflushed long enough, see whether a full disk has room again.</summary>
    public void Idle(bool stop)
    {
        if (_brokenReason is not null)
        {
            return;
        }

        try
        {
            if (IsFlushDue || (stop && _dirty && _mode != DurabilityMode.Memory))
            {
                Flush();
            }

            _fullDisk.Retry(_current);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Break(exception);
        }
    }

    public void Finish()
    {
        if (_brokenReason is null)
        {
            CloseCurrent();
            if (_current is { HasFile: true } && !OwesRecords)
            {
                chain.End(_current);
            }
        }

        _fullDisk.Close();
    }

    private static void WriteChecksums(LogBatch batch)
    {
        foreach (var chunk in batch.Chunks)
        {
            var rest = chunk.Buffer.AsSpan(0, chunk.Length);
            while (!rest.IsEmpty)
            {
                var length = RecordHeader.Size + RecordHeader.PayloadLength(rest);
                var tellsSalt = rest[2] == LogRecordType.SegmentHeader;
                RecordHeader.WriteChecksum(rest[..length], tellsSalt ? RecordHeader.FixedSalt : batch.Segment.Salt);
                rest = rest[length..];
            }
        }
    }

    private int FlushAfterMs() =>
        _mode == DurabilityMode.Interval ? (int)options.Durability.Interval.TotalMilliseconds : LazyFlushMs;

    private bool TryWrite(LogBatch batch)
    {
        try
        {
            if (batch.Start == 0 && batch.Length > 0)
            {
                BeginSegment(batch);
            }

            WriteChecksums(batch);
            Write(batch);
            return true;
        }
        catch (IOException exception) when (FullDisk.Refused(exception))
        {
            Truncate(batch);
            if (!FullDisk.RefusedFile(exception) || batch.Start == 0)
            {
                return false;
            }

            // Only this file may not grow: the same batch fits into the next segment.
            var next = log.Rebase(batch.Segment, batch.Length, beginSegment: true);
            if (next is null)
            {
                return false;
            }

            batch.MoveBehind(next);
            WriteChecksums(batch);
            return TryWrite(batch);
        }
    }

    /// <summary>
    /// Three steps, each on disk before the next, so that a start can tell a crash from a loss: the segment with its headers; the end
    /// record of
    /// the segment before, which names this one; the records of this one.
    /// </summary>
    private void BeginSegment(LogBatch batch)
    {
        var segment = batch.Segment;
        if (_current != segment)
        {
            CloseCurrent();
            chain.Next(_current);
            _current = segment;
        }

        if (!segment.HasFile)
        {
            segment.CreateFile();
            if (_mode != DurabilityMode.Memory)
            {
                LibC.FlushDirectory(options.Directory);
            }
        }

        var headers = batch.Chunks[0].Buffer.AsSpan(0, SegmentHeader.BothBytes);
        chain.WriteHeaders(segment, headers);
        chain.EndPrevious(segment);
    }

    private void Write(LogBatch batch)
    {
        var segment = batch.Segment;
        var end = batch.Start + batch.Length;
        if (_mode == DurabilityMode.Synced && batch.Length <= SmallBatchBytes)
        {
            RoomAhead.Prepare(segment, end, options.RoomAheadBytes);
        }

        if (batch.Chunks.Count == 1)
        {
            var chunk = batch.Chunks[0];
            RandomAccess.Write(segment.Handle, chunk.Buffer.AsSpan(0, chunk.Length), batch.Start);
        }
        else
        {
            WriteChunks(batch);
        }

        segment.Length = end;
        segment.Messages += batch.Located.Count;
        segment.FileLength = Math.Max(segment.FileLength, end);
        if (!_dirty)
        {
            _dirty = true;
            _dirtySinceMs = Environment.TickCount64;
        }
    }

    private static void WriteChunks(LogBatch batch)
    {
        var offset = batch.Start;
        foreach (var chunk in batch.Chunks)
        {
            RandomAccess.Write(batch.Segment.Handle, chunk.Buffer.AsSpan(0, chunk.Length), offset);
            offset += chunk.Length;
        }
    }

    /// <summary>No further record comes: gives back the room ahead and flushes what lies unflushed.</summary>
    private void CloseCurrent()
    {
        if (_current is null or { Sealed: true } or { HasFile: false })
        {
            return;
        }

        var hasRoom = _current.FileLength > _current.Length;
        RoomAhead.Cut(_current);
        if ((_dirty || hasRoom) && _mode != DurabilityMode.Memory)
        {
            Flush();
        }

        _current.Sealed = true;
    }

    /// <summary>Takes back what was written of a batch. Headers stay: the end record of the segment before names them.</summary>
    private static void Truncate(LogBatch batch)
    {
        if (batch.Segment.HasFile)
        {
            var end = Math.Max(batch.Start, batch.Segment.Length);
            RandomAccess.SetLength(batch.Segment.Handle, end);
            batch.Segment.FileLength = end;
        }
    }

    private void FlushIfNeeded(LogBatch batch)
    {
        if (Flushes(batch) || IsFlushDue)
        {
            Flush();
        }
    }

    private bool IsFlushDue => _mode != DurabilityMode.Memory && _dirty && Environment.TickCount64 - _dirtySinceMs >= FlushAfterMs();

    private void Flush()
    {
        // Without a current segment the disk refused the very first record; there is nothing to flush.
        if (_current is { HasFile: true })
        {
            var since = TimeProvider.System.GetTimestamp();
            LibC.FlushData(_current.Handle);
            options.Flushed?.Invoke(TimeProvider.System.GetElapsedTime(since));
        }

        _dirty = false;
    }

    private static void NotifyOwners(LogBatch batch)
    {
        var located = CollectionsMarshal.AsSpan(batch.Located);
        var from = 0;
        while (from < located.Length)
        {
            var owner = located[from].Owner;
            var to = from + 1;
            while (to < located.Length && located[to].Owner == owner)
            {
                to++;
            }

            owner.OnCommitted(batch.Segment, located[from..to]);
            from = to;
        }
    }

    private static void End(LogBatch batch, CommitOutcome outcome)
    {
        batch.CompleteWritten(outcome);
        batch.CompleteAdditions(outcome);
        batch.CompleteSynced(outcome);
        batch.Recycle();
    }

    private void Break(Exception exception)
    {
        // Clients read this: no path, and no words of the system that contain one.
        _brokenReason = "The log on disk cannot be written; the server's own log has the reason. Repair the disk and restart.";
        LogBroken(logger, options.Directory, exception);
    }

    [LoggerMessage(1003, LogLevel.Critical, "The log in {DataDirectory} cannot be written; the server refuses all requests until a "
        + "restart")]
    private static partial void LogBroken(ILogger logger, string dataDirectory, Exception exception);
}
