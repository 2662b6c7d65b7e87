using PushQueue.Storage.Embedded.Records;

namespace PushQueue.Storage.Embedded;

/// <summary>The order in which leases end.</summary>
internal sealed class LeaseEndOrder : IComparer<StoredMessage>
{
    public static LeaseEndOrder Instance { get; } = new();

    public int Compare(StoredMessage? x, StoredMessage? y)
    {
        var byTime = x!.Lease!.UntilMs.CompareTo(y!.Lease!.UntilMs);
        return byTime != 0 ? byTime : x.Sequence.CompareTo(y.Sequence);
    }
}
