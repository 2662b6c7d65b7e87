using PushQueue.Storage.Embedded.Records;

namespace PushQueue.Storage.Embedded;

/// <summary>The order of a queue: priority, then <see cref="DeliveryOrder"/>.</summary>
internal sealed class QueueOrder : IComparer<StoredMessage>
{
    public static QueueOrder Instance { get; } = new();

    public static IComparer<StoredMessage> Reverse { get; } = Comparer<StoredMessage>.Create(static (x, y) => Instance.Compare(y, x));

    public int Compare(StoredMessage? x, StoredMessage? y)
    {
        var byPriority = y!.Priority.CompareTo(x!.Priority);
        return byPriority != 0 ? byPriority : DeliveryOrder.Instance.Compare(x, y);
    }
}
