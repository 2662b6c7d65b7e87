using PushQueue.Queues;

namespace PushQueue.Delivery;

/// <summary>The messages that a consumer held when it left, divided into those it had begun and the rest.</summary>
internal static class LeftWork
{
    /// <summary>
    /// The oldest message that was written to the consumer is known to be begun, and so is each one that it got before another that it
    /// acked. A consumer that crashes on a message fails with that one, while those that wait behind it in its connection do not.
    /// </summary>
    public static LeaseKey[] BegunOf(Consumer consumer, HeldLease[] held)
    {
        var begun = new List<LeaseKey>();
        foreach (var lease in held)
        {
            if (lease.IsWritten && (begun.Count == 0 || lease.Order < consumer.LastAcked))
            {
                begun.Add(lease.Key);
            }
        }

        return [.. begun];
    }
}
