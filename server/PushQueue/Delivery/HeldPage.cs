namespace PushQueue.Delivery;

/// <summary>
/// The leases behind one page of a manual consumer. They are noted as written, because only a written message can have been begun. Leases
/// that were not written are given back when their consumer leaves.
/// </summary>
internal sealed class HeldPage(HeldLease[] leases) : IWriteObserver
{
    public void OnWritten()
    {
        foreach (var lease in leases)
        {
            lease.IsWritten = true;
        }
    }

    public void OnNotWritten()
    {
        // The connection ends, and its end gives back all that the consumer holds.
    }
}
