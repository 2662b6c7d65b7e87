namespace PushQueue.Storage.Embedded.Records;

/// <summary>
/// How far a queue has got with copying what a source held when the subscription began. Guarded by the lock of the queue that gets the
/// copies.
/// </summary>
/// <param name="source">The number of the source.</param>
internal sealed class EarlierCopying(long source)
{
    public long Source { get; } = source;

    /// <summary>
    /// Messages of the source from this number on were copied when they were put. 0: the source does not feed the queue yet.
    /// </summary>
    public long Bound { get; set; }

    /// <summary>When the subscription began: messages that were copied when they were put are available later.</summary>
    public long BeganAtMs { get; set; }

    /// <summary>The source's history is copied up to this offset.</summary>
    public long Offset { get; set; }

    /// <summary>Messages that the source still holds are copied up to this number.</summary>
    public long Sequence { get; set; }

    /// <summary>Takes over what another record says, where that is further.</summary>
    public void Reach(long offset, long sequence)
    {
        Offset = Math.Max(Offset, offset);
        Sequence = Math.Max(Sequence, sequence);
    }
}
