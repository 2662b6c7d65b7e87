namespace PushQueue.Delivery.Encoding;

/// <summary>
/// Messages encoded once and written as they are to any number of connections: complete frames of one format, never changed.
/// </summary>
internal class EncodedPage
{
    private int _waiting;

    /// <param name="bytes">The bytes for the wire.</param>
    /// <param name="firstOffset">The first message's offset; 0 where the page holds no broadcast messages.</param>
    /// <param name="lastOffset">The last message's offset; 0 likewise.</param>
    public EncodedPage(ReadOnlyMemory<byte> bytes, long firstOffset = 0, long lastOffset = 0)
        : this(bytes.Length, firstOffset, lastOffset)
    {
        Bytes = bytes;
    }

    /// <summary>A page that goes over no wire; <paramref name="length"/> is the memory that it keeps.</summary>
    protected EncodedPage(int length, long firstOffset, long lastOffset)
    {
        Length = length;
        FirstOffset = firstOffset;
        LastOffset = lastOffset;
    }

    public ReadOnlyMemory<byte> Bytes { get; }

    /// <summary>
    /// The page only keeps a place in the order of a stream over many queues: for its cursor, or for a position in one queue. It is never
    /// written.
    /// </summary>
    public bool IsUnwritten { get; init; }

    public int Length { get; }

    public long FirstOffset { get; }

    public long LastOffset { get; }

    /// <summary>
    /// Where a client is that has read the page, in the page's queue; null for a page that changes no position. For streams over many
    /// queues.
    /// </summary>
    public string? Epoch { get; private set; }

    /// <summary>The offset that belongs to <see cref="Epoch"/>.</summary>
    public long Reached { get; private set; }

    /// <summary>Before the page is shared.</summary>
    public void Reach(string epoch, long offset)
    {
        Epoch = epoch;
        Reached = offset;
    }

    /// <summary>True for messages that may be dropped if a gap reports it, and for such gaps themselves.</summary>
    public bool Droppable => FirstOffset > 0;

    /// <summary>The page waits for one more connection. True for the first one.</summary>
    public bool Retain() => Interlocked.Increment(ref _waiting) == 1;

    /// <summary>The page waits for one connection less. True for the last one.</summary>
    public bool Release() => Interlocked.Decrement(ref _waiting) == 0;
}
