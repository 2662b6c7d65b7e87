using PushQueue.Storage.Embedded.Records;

namespace PushQueue.Storage.Embedded;

/// <summary>The newest broadcast message of each key. Guarded by the queue's lock.</summary>
internal sealed class LatestMessages
{
    private readonly Dictionary<string, StoredMessage> _byKey = new(StringComparer.Ordinal);
    private readonly SortedSet<StoredMessage> _byOffset = new(OffsetOrder.Instance);

    /// <summary>The messages in the order of their offsets.</summary>
    public IEnumerable<StoredMessage> InOrder => _byOffset;

    /// <summary>
    /// The message, which has a key and its offset, is the newest of its key. One with an empty body leaves the key without any.
    /// </summary>
    /// <returns>The message that was the newest before; null for none.</returns>
    public StoredMessage? Set(StoredMessage message)
    {
        if (_byKey.Remove(message.Key!, out var older))
        {
            _byOffset.Remove(older);
        }

        if (message.BodyLength > 0)
        {
            _byKey.Add(message.Key!, message);
            _byOffset.Add(message);
        }

        return older;
    }

    public bool Has(StoredMessage message) =>
        message.Key is { } key && _byKey.TryGetValue(key, out var latest) && ReferenceEquals(latest, message);

    /// <summary>The messages from that offset on, in the order of their offsets.</summary>
    public IEnumerable<StoredMessage> From(long offset) => _byOffset.From(new StoredMessage
    {
        Sequence = 0,
        ContentType = "",
        EnqueuedAtMs = 0,
        AvailableAtMs = 0,
        BodyLength = 0,
        Offset = offset,
    });

    public void Clear()
    {
        _byKey.Clear();
        _byOffset.Clear();
    }

    private sealed class OffsetOrder : IComparer<StoredMessage>
    {
        public static OffsetOrder Instance { get; } = new();

        public int Compare(StoredMessage? x, StoredMessage? y) => x!.Offset.CompareTo(y!.Offset);
    }
}
