namespace PushQueue.Storage.Log;

/// <summary>
/// Appends records while it holds the log's lock, so that the records of one operation stand together. Made by
/// <see cref="MessageLog.BeginAppend"/>; dispose it before awaiting anything.
/// </summary>
internal readonly ref struct LogAppender(MessageLog log, LogBatch batch, bool writesItself = false)
{
    public LogBatch Batch => batch;

    public void Dispose() => log.EndAppend(writesItself);

    /// <summary>
    /// The header, twice: without it nothing in the segment can be read. The log's writer writes both again once it knows how the
    /// segment before
    /// ended.
    /// </summary>
    public void SegmentHeaders(SegmentHeader header)
    {
        header.WriteBoth(batch.Reserve(SegmentHeader.BothBytes));
        _ = batch.Commit(SegmentHeader.BothBytes);
    }

    /// <summary>Room for a record's header and a payload of at most this many bytes; <c>Append</c> takes what was used.</summary>
    public Span<byte> Reserve(int payloadBytesMax) => batch.Reserve(RecordHeader.Size + payloadBytesMax);

    /// <summary>Ends a record in reserved room. Returns where in the segment it begins.</summary>
    public long Append(Span<byte> record, byte type, int payloadLength)
    {
        RecordHeader.Write(record, type, payloadLength);
        return batch.Commit(RecordHeader.Size + payloadLength);
    }

    /// <summary>Ends a record in reserved room whose owner is notified of its place.</summary>
    public void Append(Span<byte> record, byte type, int payloadLength, ILogOwner owner, object content)
    {
        var offset = Append(record, type, payloadLength);
        batch.Located.Add(new LocatedRecord(owner, content, offset, RecordHeader.Size + payloadLength));
    }

    /// <summary>The records appended here change what a record of that segment says: this segment must outlive it.</summary>
    public void Refer(Segment segment) => batch.Segment.AddReference(segment);

    /// <summary>The owner gets <see cref="ILogOwner.OnClosing"/> before the batch is written. Call it once for each batch.</summary>
    public void CloseWith(ILogOwner owner) => batch.CloseWith(owner);

    /// <summary>Somebody waits for the disk.</summary>
    public void NeedSync() => batch.NeedsSync = true;
}
