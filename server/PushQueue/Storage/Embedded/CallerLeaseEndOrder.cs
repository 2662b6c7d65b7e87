using PushQueue.Storage.Embedded.Records;

namespace PushQueue.Storage.Embedded;

/// <summary>The order in which leases end by their callers' clocks.</summary>
internal sealed class CallerLeaseEndOrder : IComparer<StoredMessage>
{
    public static CallerLeaseEndOrder Instance { get; } = new();

    public int Compare(StoredMessage? x, StoredMessage? y)
    {
        var byTime = x!.Lease!.CallerUntilMs.CompareTo(y!.Lease!.CallerUntilMs);
        return byTime != 0 ? byTime : x.Sequence.CompareTo(y.Sequence);
    }
}
