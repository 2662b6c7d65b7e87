namespace PushQueue.Delivery;

/// <summary>
/// The leases behind one page of a manual consumer. Noted as written, because only what was written can have been begun; what was not is given back when
/// its consumer leaves.
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
