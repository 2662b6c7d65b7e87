namespace PushQueue.Storage.Embedded.Log;

/// <summary>
/// Appends records while it holds the log's lock, so that the records of one operation stand together. Made by
/// <see cref="MessageLog.BeginAppend"/>; dispose it before awaiting anything.
/// </summary>
internal readonly ref struct LogAppender(MessageLog log, LogBatch batch, bool writesItself = false)
{
    public LogBatch Batch => batch;

    public void Dispose() => log.EndAppend(writesItself);

    /// <summary>
    /// The header, twice: without it nothing in the segment can be read. The log's writer writes both again once it knows how the segment before
    /// ended.
    /// </summary>
    public void SegmentHeaders(SegmentHeader header)
    {
        header.WriteBoth(batch.Reserve(SegmentHeader.BothBytes));
        _ = batch.Commit(SegmentHeader.BothBytes);
    }

    /// <summary>The whole state of a message with its body: a put, or a message carried forward.</summary>
    public void Message(ILogOwner owner, long queue, StoredMessage message, ReadOnlySpan<byte> body)
    {
        var span = batch.Reserve(RecordHeader.Size + MessageRecord.BytesMax(message));
        var writer = new SpanWriter(span[RecordHeader.Size..]);
        MessageRecord.Write(ref writer, queue, message, body);
        var offset = Finish(span, RecordType.Message, writer.Written);
        batch.Located.Add(new LocatedMessage(owner, message, offset, RecordHeader.Size + writer.Written));
    }

    /// <summary>Messages that count all or none.</summary>
    public void Messages(ILogOwner owner, long queue, ReadOnlySpan<StoredMessage> messages)
    {
        Numbers(RecordType.BatchStart, messages.Length);
        foreach (var message in messages)
        {
            Message(owner, queue, message, message.Body);
        }

        Numbers(RecordType.BatchEnd, messages.Length);
    }

    /// <summary>The message leaves one queue and arrives in another; its body stays in the record that holds it.</summary>
    public void Moved(long fromQueue, StoredMessage from, long toQueue, StoredMessage to)
    {
        AddReferences(from);
        var span = batch.Reserve(RecordHeader.Size + (3 * SpanWriter.NumberBytesMax) + MessageRecord.BytesMax(to));
        var writer = new SpanWriter(span[RecordHeader.Size..]);
        writer.Number(fromQueue);
        writer.Number(from.Sequence);
        writer.Number(to.BodyLength);
        MessageRecord.Write(ref writer, toQueue, to, body: default);
        Finish(span, RecordType.Moved, writer.Written);
    }

    public void Removed(long queue, ReadOnlySpan<StoredMessage> messages)
    {
        var span = batch.Reserve(RecordHeader.Size + ((messages.Length + 2) * SpanWriter.NumberBytesMax));
        var writer = new SpanWriter(span[RecordHeader.Size..]);
        writer.Number(queue);
        writer.Number(messages.Length);
        foreach (var message in messages)
        {
            writer.Number(message.Sequence);
            AddReferences(message);
        }

        Finish(span, RecordType.Removed, writer.Written);
    }

    /// <summary>The messages just got the leases that they hold.</summary>
    public void Leased(long queue, string? worker, long untilMs, long callerUntilMs, ReadOnlySpan<StoredMessage> messages)
    {
        var bytesMax = SpanWriter.StringBytesMax(worker ?? "") + ((4 + (messages.Length * 3)) * SpanWriter.NumberBytesMax);
        var span = batch.Reserve(RecordHeader.Size + bytesMax);
        var writer = new SpanWriter(span[RecordHeader.Size..]);
        writer.Number(queue);
        writer.Number(untilMs);
        writer.Text(worker ?? "");
        writer.Number(messages.Length);
        foreach (var message in messages)
        {
            writer.Number(message.Sequence);
            writer.UInt64(message.Lease!.Receipt.Value);
            writer.Number(message.Attempts);
            AddReferences(message);
        }

        if (callerUntilMs > 0)
        {
            writer.Number(callerUntilMs);
        }

        Finish(span, RecordType.Leased, writer.Written);
    }

    /// <summary>The message was given back, rescheduled or touched: its state as it is now.</summary>
    public void Changed(long queue, StoredMessage message)
    {
        AddReferences(message);
        var span = batch.Reserve(RecordHeader.Size + ChangeRecord.BytesMax(message));
        var writer = new SpanWriter(span[RecordHeader.Size..]);
        ChangeRecord.Write(ref writer, queue, message);
        Finish(span, RecordType.Changed, writer.Written);
    }

    /// <summary>The messages got offsets, one after another from the first one's.</summary>
    public void Broadcast(long queue, long atMs, ReadOnlySpan<StoredMessage> messages)
    {
        var span = batch.Reserve(RecordHeader.Size + ((messages.Length + 4) * SpanWriter.NumberBytesMax));
        var writer = new SpanWriter(span[RecordHeader.Size..]);
        writer.Number(queue);
        writer.Number(atMs);
        writer.Number(messages[0].Offset);
        writer.Number(messages.Length);
        foreach (var message in messages)
        {
            writer.Number(message.Sequence);
            AddReferences(message);
        }

        Finish(span, RecordType.Broadcast, writer.Written);
        batch.NeedsSync = true;
    }

    public void QueueState(QueueStateRecord state)
    {
        var span = batch.Reserve(RecordHeader.Size + state.BytesMax);
        var writer = new SpanWriter(span[RecordHeader.Size..]);
        state.Write(ref writer);
        Finish(span, RecordType.QueueState, writer.Written);
        batch.NeedsSync = true;
    }

    public void QueueDeleted(long queue, IEnumerable<Segment> segmentsOfItsMessages)
    {
        foreach (var segment in segmentsOfItsMessages)
        {
            batch.Segment.AddReference(segment);
        }

        Numbers(RecordType.QueueDeleted, queue);
        batch.NeedsSync = true;
    }

    /// <param name="segments">The segments that exist.</param>
    /// <param name="missing">The segments that were found missing: should they come back, they belong to the log.</param>
    /// <param name="nextQueueNumber">The number of the next queue.</param>
    public void SnapshotStart(IReadOnlyCollection<Segment> segments, IReadOnlyCollection<SegmentExtent> missing, long nextQueueNumber)
    {
        var bytesMax = ((segments.Count + missing.Count) * (SpanWriter.NumberBytesMax + SegmentExtent.BytesMax)) + (4 * SpanWriter.NumberBytesMax);
        var span = batch.Reserve(RecordHeader.Size + bytesMax);
        var writer = new SpanWriter(span[RecordHeader.Size..]);
        writer.Number(nextQueueNumber);
        writer.Number(segments.Count);
        foreach (var segment in segments)
        {
            writer.Number(segment.Number);
        }

        foreach (var segment in segments)
        {
            segment.Extent.Write(ref writer);
        }

        writer.Number(missing.Count);
        foreach (var segment in missing)
        {
            segment.Write(ref writer);
        }

        Finish(span, RecordType.SnapshotStart, writer.Written);
    }

    public void SnapshotEnd()
    {
        Numbers(RecordType.SnapshotEnd);
        batch.NeedsSync = true;
    }

    public void SegmentDropped(Segment segment)
    {
        Numbers(RecordType.SegmentDropped, segment.Number, segment.Salt);
        batch.NeedsSync = true;
    }

    public void KnownId(long queue, string id, long untilMs)
    {
        var span = batch.Reserve(RecordHeader.Size + (2 * SpanWriter.NumberBytesMax) + SpanWriter.StringBytesMax(id));
        var writer = new SpanWriter(span[RecordHeader.Size..]);
        writer.Number(queue);
        writer.Number(untilMs);
        writer.Text(id);
        Finish(span, RecordType.KnownId, writer.Written);
    }

    public void CleanStop()
    {
        Numbers(RecordType.CleanStop);
        batch.NeedsSync = true;
    }

    private void Numbers(RecordType type, params ReadOnlySpan<long> numbers)
    {
        var span = batch.Reserve(RecordHeader.Size + (numbers.Length * SpanWriter.NumberBytesMax));
        var writer = new SpanWriter(span[RecordHeader.Size..]);
        foreach (var number in numbers)
        {
            writer.Number(number);
        }

        Finish(span, type, writer.Written);
    }

    /// <summary>What stands here changes what the message's records say, wherever they stand.</summary>
    private void AddReferences(StoredMessage message)
    {
        batch.Segment.AddReference(message.Segment!);
        if (message.CarriedTo is { } copy)
        {
            batch.Segment.AddReference(copy);
        }
    }

    private long Finish(Span<byte> span, RecordType type, int payloadLength)
    {
        RecordHeader.Write(span, type, payloadLength);
        return batch.Commit(RecordHeader.Size + payloadLength);
    }
}
