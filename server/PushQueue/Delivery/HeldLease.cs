using PushQueue.Queues;

namespace PushQueue.Delivery;

/// <summary>One lease that a manual consumer holds. Compared by identity: the same message leased again is another.</summary>
/// <param name="consumer">The consumer that holds it.</param>
/// <param name="key">Message and lease.</param>
/// <param name="order">When it was got, among all of its queue.</param>
internal sealed class HeldLease(Consumer consumer, LeaseKey key, long order)
{
    public Consumer Consumer => consumer;

    public LeaseKey Key => key;

    public long Order => order;

    /// <summary>Whether the message was written to the consumer's connection. Set once.</summary>
    public bool IsWritten { get; set; }
}
