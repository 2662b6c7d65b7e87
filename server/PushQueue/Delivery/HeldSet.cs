namespace PushQueue.Delivery;

/// <summary>
/// The leases of one consumer, so that its end costs what it held and not what all consumers of its queue hold. May show a lease whose
/// end is just being noted; <see cref="HeldLeases"/> knows what is true. Its lock is a leaf.
/// </summary>
internal sealed class HeldSet
{
    private readonly Lock _gate = new();
    private readonly HashSet<HeldLease> _leases = [];

    public bool IsEmpty
    {
        get
        {
            lock (_gate)
            {
                return _leases.Count == 0;
            }
        }
    }

    public void Add(HeldLease lease)
    {
        lock (_gate)
        {
            _leases.Add(lease);
        }
    }

    public void Remove(HeldLease lease)
    {
        lock (_gate)
        {
            _leases.Remove(lease);
        }
    }

    /// <summary>All at one moment, in the order in which they were got.</summary>
    public HeldLease[] InOrder()
    {
        HeldLease[] leases;
        lock (_gate)
        {
            leases = [.. _leases];
        }

        Array.Sort(leases, static (one, other) => one.Order.CompareTo(other.Order));
        return leases;
    }
}
