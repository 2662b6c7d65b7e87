using PushQueue.Queues;

namespace PushQueue.Storage.Log;

/// <summary>
/// Links the segments: the header of each says how the one before it ended, and the end record of each names the one behind it. A start
/// that finds a link without its other end knows what is missing. Used by the log's writer alone.
/// </summary>
/// <param name="options">Durability.</param>
/// <param name="identity">The store's id, and the mark of an orderly stop.</param>
/// <param name="bootId">The boot of the machine.</param>
/// <param name="last">The last segment that recovery found; null in a new folder.</param>
internal sealed class SegmentChain(LogOptions options, LogIdentity identity, string bootId, Segment? last)
{
    private readonly bool _flushes = options.Durability.Mode != DurabilityMode.Memory;
    private Segment? _previous = last;

    /// <summary>The segment that was written so far is complete; null where none was.</summary>
    public void Next(Segment? written) => _previous = written ?? _previous;

    /// <summary>The header without the extent of the previous segment, which is still growing when a segment is planned.</summary>
    public SegmentHeader HeaderOf(Segment segment) =>
        new(
            SegmentHeader.CurrentVersion,
            segment.Number,
            options.Durability.Mode,
            bootId,
            segment.Salt,
            identity.Store!.Value);

    /// <summary>Writes the headers of a new segment into its file.</summary>
    /// <param name="segment">The segment, whose file exists.</param>
    /// <param name="headers">Where they stand in the batch that begins the segment.</param>
    public void WriteHeaders(Segment segment, Span<byte> headers)
    {
        var header = HeaderOf(segment) with { Previous = _previous is { HasFile: true } ? _previous.Extent : default };
        header.WriteBoth(headers);
        if (segment.Length >= SegmentHeader.BothBytes)
        {
            return;
        }

        RecordHeader.WriteChecksum(headers[..SegmentHeader.RecordBytes], RecordHeader.FixedSalt);
        RecordHeader.WriteChecksum(headers[SegmentHeader.RecordBytes..], RecordHeader.FixedSalt);
        RandomAccess.Write(segment.Handle, headers, 0);
        segment.Length = SegmentHeader.BothBytes;
        segment.FileLength = Math.Max(segment.FileLength, segment.Length);
        Flush(segment);
        identity.SegmentBegun(_flushes);
    }

    /// <summary>Says in the previous segment that this one has begun.</summary>
    public void EndPrevious(Segment begun)
    {
        if (_previous is not { HasFile: true, EndRecordAt: null, Length: > 0 } previous)
        {
            return;
        }

        Span<byte> record = stackalloc byte[RecordHeader.Size + SpanWriter.NumberBytesMax + sizeof(uint)];
        var writer = new SpanWriter(record[RecordHeader.Size..]);
        writer.Number(begun.Number);
        writer.UInt32(begun.Salt);
        record = record[..(RecordHeader.Size + writer.Written)];
        RecordHeader.Write(record, LogRecordType.SegmentEnd, writer.Written);
        RecordHeader.WriteChecksum(record, previous.Salt);
        try
        {
            RandomAccess.Write(previous.Handle, record, previous.Length);
        }
        catch (IOException exception)
        {
            RandomAccess.SetLength(previous.Handle, previous.Length);
            if (!FullDisk.RefusedFile(exception))
            {
                throw;
            }

            // A limit on the size of files ended this segment. Without its end record only the loss of all that follows goes unnoticed.
            return;
        }

        previous.EndRecordAt = previous.Length;
        previous.Length += record.Length;
        Flush(previous);
    }

    /// <summary>The store stops in order.</summary>
    public void End(Segment current) => identity.Stopped(current.Extent, _flushes);

    private void Flush(Segment segment)
    {
        if (_flushes)
        {
            LibC.FlushData(segment.Handle);
        }
    }
}
