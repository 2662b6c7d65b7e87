namespace PushQueue.Storage.Log;

/// <summary>The size of one segment, as another part of the log remembers it. Number and salt together identify a segment.</summary>
/// <param name="Number">The segment's number; 0 for none.</param>
/// <param name="Salt">The segment's salt.</param>
/// <param name="Length">Bytes of records.</param>
/// <param name="Messages">How many message records the segment holds; some of these messages may be finished.</param>
internal readonly record struct SegmentExtent(int Number, uint Salt, long Length, long Messages)
{
    public const int BytesMax = 4 * SpanWriter.NumberBytesMax;

    public void Write(ref SpanWriter writer)
    {
        writer.Number(Number);
        writer.UInt32(Salt);
        writer.Number(Length);
        writer.Number(Messages);
    }

    public static SegmentExtent Read(ref SpanReader reader) =>
        new((int)reader.Number(), reader.UInt32(), reader.Number(), reader.Number());
}
