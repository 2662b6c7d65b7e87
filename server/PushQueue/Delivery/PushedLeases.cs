using PushQueue.Queues;

namespace PushQueue.Delivery;

/// <summary>The leases behind one page of an auto-ack consumer: acked once written, given back uncounted where that failed.</summary>
internal sealed class PushedLeases(Consumer consumer, LeaseKey[] keys, LeaseSettler settler) : IWriteObserver
{
    public void OnWritten()
    {
        settler.Ack(keys);
        consumer.OnWritten(keys.Length, written: true);
    }

    public void OnNotWritten()
    {
        settler.GiveBack(keys, BrokenConnection.NotBegun);
        consumer.OnWritten(keys.Length, written: false);
    }
}
