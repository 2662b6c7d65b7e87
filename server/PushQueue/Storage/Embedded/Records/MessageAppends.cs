using PushQueue.Storage.Log;

namespace PushQueue.Storage.Embedded.Records;

/// <summary>The records that the queues append to the log.</summary>
internal static class MessageAppends
{
    /// <summary>Types of records that only add messages: a full disk refuses them and keeps the rest.</summary>
    public static IReadOnlySet<byte> OnlyAdds { get; } =
        new HashSet<byte> { (byte)RecordType.Message, (byte)RecordType.BatchStart, (byte)RecordType.BatchEnd, (byte)RecordType.Copies };

    /// <summary>The whole state of a message with its body: a put, or a message carried forward.</summary>
    public static void Message(this LogAppender appender, ILogOwner owner, long queue, StoredMessage message, ReadOnlySpan<byte> body)
    {
        var span = appender.Reserve(MessageRecord.BytesMax(message));
        var writer = new SpanWriter(span[RecordHeader.Size..]);
        MessageRecord.Write(ref writer, queue, message, body);
        appender.Append(span, (byte)RecordType.Message, writer.Written, owner, message);
    }

    /// <summary>Messages that count all or none.</summary>
    public static void Messages(this LogAppender appender, ILogOwner owner, long queue, ReadOnlySpan<StoredMessage> messages)
    {
        appender.BatchStart(messages.Length);
        foreach (var message in messages)
        {
            appender.Message(owner, queue, message, message.Body);
        }

        appender.BatchEnd(messages.Length);
    }

    /// <summary>So many records of messages follow, which count all or none.</summary>
    public static void BatchStart(this LogAppender appender, int records) => Numbers(appender, RecordType.BatchStart, records);

    /// <summary>The same for copies of what the source of a subscription held: with them counts how far that is.</summary>
    public static void BatchStart(this LogAppender appender, int records, long queue, EarlierCopying copying) =>
        Numbers(appender, RecordType.BatchStart, records, queue, copying.Source, copying.Offset, copying.Sequence);

    /// <param name="appender">Where to.</param>
    /// <param name="queue">The queue that gets the copies.</param>
    /// <param name="copying">How far it is.</param>
    /// <param name="ended">Whether nothing is to be copied any more.</param>
    public static void Earlier(this LogAppender appender, long queue, EarlierCopying copying, bool ended) => Numbers(
        appender, RecordType.Earlier, queue, copying.Source, ended ? 1 : 0, copying.Bound, copying.BeganAtMs, copying.Offset,
        copying.Sequence);

    public static void BatchEnd(this LogAppender appender, int records) => Numbers(appender, RecordType.BatchEnd, records);

    /// <summary>A put with its copies for other queues: the first message is the put, and the body is written once.</summary>
    public static void Copies(this LogAppender appender, ReadOnlySpan<MessagePart> parts, ReadOnlySpan<byte> body)
    {
        var (offset, length) = appender.AppendCopies(parts, areFresh: true, body);
        foreach (var part in parts)
        {
            appender.Batch.Located.Add(new LocatedRecord(part.Owner, part.Message, offset, length));
        }
    }

    /// <summary>The remaining properties of such messages, in another record.</summary>
    public static void CarriedCopies(
        this LogAppender appender, ReadOnlySpan<MessagePart> parts, SharedRecord record, ReadOnlySpan<byte> body)
    {
        var (offset, length) = appender.AppendCopies(parts, areFresh: false, body);
        foreach (var part in parts)
        {
            appender.Batch.Located.Add(new LocatedRecord(part.Owner, new CarriedPart(part.Message, record), offset, length));
        }
    }

    /// <summary>The message leaves one queue and arrives in another; its body stays in the record that holds it.</summary>
    public static void Moved(this LogAppender appender, long fromQueue, StoredMessage from, long toQueue, StoredMessage to)
    {
        AddReferences(appender, from);
        var span = appender.Reserve((3 * SpanWriter.NumberBytesMax) + MessageRecord.BytesMax(to));
        var writer = new SpanWriter(span[RecordHeader.Size..]);
        writer.Number(fromQueue);
        writer.Number(from.Sequence);
        writer.Number(to.BodyLength);
        MessageRecord.Write(ref writer, toQueue, to, body: default);
        _ = appender.Append(span, (byte)RecordType.Moved, writer.Written);
    }

    public static void Removed(this LogAppender appender, long queue, ReadOnlySpan<StoredMessage> messages)
    {
        var span = appender.Reserve((messages.Length + 2) * SpanWriter.NumberBytesMax);
        var writer = new SpanWriter(span[RecordHeader.Size..]);
        writer.Number(queue);
        writer.Number(messages.Length);
        foreach (var message in messages)
        {
            writer.Number(message.Sequence);
            AddReferences(appender, message);
        }

        _ = appender.Append(span, (byte)RecordType.Removed, writer.Written);
    }

    /// <summary>The messages just got the leases that they hold.</summary>
    public static void Leased(
        this LogAppender appender, long queue, string? worker, long untilMs, long callerUntilMs, ReadOnlySpan<StoredMessage> messages)
    {
        var bytesMax = SpanWriter.StringBytesMax(worker ?? "") + ((4 + (messages.Length * 3)) * SpanWriter.NumberBytesMax);
        var span = appender.Reserve(bytesMax);
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
            AddReferences(appender, message);
        }

        if (callerUntilMs > 0)
        {
            writer.Number(callerUntilMs);
        }

        _ = appender.Append(span, (byte)RecordType.Leased, writer.Written);
    }

    /// <summary>The message was given back, rescheduled or touched: its state as it is now.</summary>
    public static void Changed(this LogAppender appender, long queue, StoredMessage message)
    {
        AddReferences(appender, message);
        var span = appender.Reserve(ChangeRecord.BytesMax(message));
        var writer = new SpanWriter(span[RecordHeader.Size..]);
        ChangeRecord.Write(ref writer, queue, message);
        _ = appender.Append(span, (byte)RecordType.Changed, writer.Written);
    }

    /// <summary>The messages got offsets, one after another from the first one's. Pending ones are those of the same batch.</summary>
    public static void Broadcast(this LogAppender appender, long queue, long atMs, ReadOnlySpan<StoredMessage> messages)
    {
        var span = appender.Reserve((messages.Length + 4) * SpanWriter.NumberBytesMax);
        var writer = new SpanWriter(span[RecordHeader.Size..]);
        writer.Number(queue);
        writer.Number(atMs);
        writer.Number(messages[0].Offset);
        writer.Number(messages.Length);
        foreach (var message in messages)
        {
            writer.Number(message.Sequence);
            if (message.Place != MessagePlace.Pending)
            {
                AddReferences(appender, message);
            }
        }

        _ = appender.Append(span, (byte)RecordType.Broadcast, writer.Written);
        appender.NeedSync();
    }

    public static void QueueState(this LogAppender appender, QueueStateRecord state)
    {
        var span = appender.Reserve(state.BytesMax);
        var writer = new SpanWriter(span[RecordHeader.Size..]);
        state.Write(ref writer);
        _ = appender.Append(span, (byte)RecordType.QueueState, writer.Written);
        appender.NeedSync();
    }

    public static void QueueDeleted(this LogAppender appender, long queue, IEnumerable<Segment> segmentsOfItsMessages)
    {
        foreach (var segment in segmentsOfItsMessages)
        {
            appender.Refer(segment);
        }

        Numbers(appender, RecordType.QueueDeleted, queue);
        appender.NeedSync();
    }

    /// <param name="appender">Where to.</param>
    /// <param name="segments">The segments that exist.</param>
    /// <param name="missing">The segments that were found missing: should they come back, they belong to the log.</param>
    /// <param name="nextQueueNumber">The number of the next queue.</param>
    public static void SnapshotStart(
        this LogAppender appender, IReadOnlyCollection<Segment> segments, IReadOnlyCollection<SegmentExtent> missing, long nextQueueNumber)
    {
        var bytesOfOne = SpanWriter.NumberBytesMax + SegmentExtent.BytesMax;
        var bytesMax = ((segments.Count + missing.Count) * bytesOfOne) + (4 * SpanWriter.NumberBytesMax);
        var span = appender.Reserve(bytesMax);
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

        _ = appender.Append(span, (byte)RecordType.SnapshotStart, writer.Written);
    }

    public static void SnapshotEnd(this LogAppender appender)
    {
        Numbers(appender, RecordType.SnapshotEnd);
        appender.NeedSync();
    }

    public static void SegmentDropped(this LogAppender appender, Segment segment)
    {
        Numbers(appender, RecordType.SegmentDropped, segment.Number, segment.Salt);
        appender.NeedSync();
    }

    public static void KnownId(this LogAppender appender, long queue, string id, long untilMs)
    {
        var span = appender.Reserve((2 * SpanWriter.NumberBytesMax) + SpanWriter.StringBytesMax(id));
        var writer = new SpanWriter(span[RecordHeader.Size..]);
        writer.Number(queue);
        writer.Number(untilMs);
        writer.Text(id);
        _ = appender.Append(span, (byte)RecordType.KnownId, writer.Written);
    }

    public static void CleanStop(this LogAppender appender)
    {
        Numbers(appender, RecordType.CleanStop);
        appender.NeedSync();
    }

    private static (long Offset, int Length) AppendCopies(
        this LogAppender appender, ReadOnlySpan<MessagePart> parts, bool areFresh, ReadOnlySpan<byte> body)
    {
        var span = appender.Reserve(CopiesRecord.BytesMax(parts, areFresh));
        var writer = new SpanWriter(span[RecordHeader.Size..]);
        CopiesRecord.Write(ref writer, parts, areFresh, body);
        var offset = appender.Append(span, (byte)RecordType.Copies, writer.Written);
        return (offset, RecordHeader.Size + writer.Written);
    }

    private static void Numbers(LogAppender appender, RecordType type, params ReadOnlySpan<long> numbers)
    {
        var span = appender.Reserve(numbers.Length * SpanWriter.NumberBytesMax);
        var writer = new SpanWriter(span[RecordHeader.Size..]);
        foreach (var number in numbers)
        {
            writer.Number(number);
        }

        _ = appender.Append(span, (byte)type, writer.Written);
    }

    /// <summary>The record that follows changes what earlier records of the message say, in any segment.</summary>
    private static void AddReferences(LogAppender appender, StoredMessage message)
    {
        appender.Refer(message.Segment!);
        if (message.CarriedTo is { } copy)
        {
            appender.Refer(copy);
        }
    }
}
