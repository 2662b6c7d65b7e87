using PushQueue.Queues;

namespace PushQueue.Delivery;

/// <summary>What a consumer held when it left, divided into what it had begun and the rest.</summary>
internal static class LeftWork
{
    /// <summary>
    /// Known to be begun is the oldest message that was written to the consumer, and each one that it got before another that it has acked. A
    /// consumer that crashes on a message fails with that one, while those that wait behind it in its connection do not.
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
