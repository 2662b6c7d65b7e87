using PushQueue.Storage.Embedded.Records;

namespace PushQueue.Storage.Embedded;

/// <summary>The order in which messages expire.</summary>
internal sealed class ExpiryOrder : IComparer<StoredMessage>
{
    public static ExpiryOrder Instance { get; } = new();

    public int Compare(StoredMessage? x, StoredMessage? y)
    {
        var byTime = x!.ExpiresAtMs.CompareTo(y!.ExpiresAtMs);
        return byTime != 0 ? byTime : x.Sequence.CompareTo(y.Sequence);
    }
}
