using PushQueue.Storage.Embedded.Records;

namespace PushQueue.Storage.Embedded;

/// <summary>The order in which ready messages come out, and, with equal priorities, that in which delayed ones fall due.</summary>
internal sealed class DeliveryOrder : IComparer<StoredMessage>
{
    public static DeliveryOrder Instance { get; } = new();

    public int Compare(StoredMessage? x, StoredMessage? y)
    {
        var byTime = x!.AvailableAtMs.CompareTo(y!.AvailableAtMs);
        return byTime != 0 ? byTime : x.Sequence.CompareTo(y.Sequence);
    }
}
