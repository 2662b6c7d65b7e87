using PushQueue.Storage.Log;

namespace PushQueue.Storage.Embedded.Records;

/// <summary>
/// The sources from which a queue still copies what they held when its subscriptions began. Until all is copied the queue gives nothing
/// out, because later messages are in it already. Guarded by the queue's lock.
/// </summary>
internal sealed class EarlierCopyings
{
    private readonly Dictionary<long, EarlierCopying> _bySource = [];

    public int Count => _bySource.Count;

    public IReadOnlyCollection<EarlierCopying> All => _bySource.Values;

    /// <summary>The most bytes that <see cref="Write"/> takes.</summary>
    public int BytesMax => ((5 * _bySource.Count) + 1) * SpanWriter.NumberBytesMax;

    public EarlierCopying? Find(long source) => _bySource.GetValueOrDefault(source);

    public EarlierCopying GetOrAdd(long source)
    {
        if (!_bySource.TryGetValue(source, out var copying))
        {
            _bySource[source] = copying = new EarlierCopying(source);
        }

        return copying;
    }

    public bool Remove(long source) => _bySource.Remove(source);

    public void Clear() => _bySource.Clear();

    public void Write(ref SpanWriter writer)
    {
        writer.Number(_bySource.Count);
        foreach (var copying in _bySource.Values)
        {
            writer.Number(copying.Source);
            writer.Number(copying.Bound);
            writer.Number(copying.BeganAtMs);
            writer.Number(copying.Offset);
            writer.Number(copying.Sequence);
        }
    }

    /// <exception cref="InvalidDataException">The bytes are not those of <see cref="Write"/>.</exception>
    public static EarlierCopyings Read(ref SpanReader reader)
    {
        var copyings = new EarlierCopyings();
        for (var count = reader.Count(); count > 0; count--)
        {
            var copying = copyings.GetOrAdd(reader.Number());
            (copying.Bound, copying.BeganAtMs) = (reader.Number(), reader.Number());
            copying.Reach(reader.Number(), reader.Number());
        }

        return copyings;
    }
}
