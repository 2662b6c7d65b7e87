using PushQueue.Queues;

namespace PushQueue.Delivery.Policies;

internal sealed class BroadcastPolicyFactory(
    IMessageStore store, MessageTails tails, MemoryBudget memory) : IDispatchPolicyFactory
{
    public DeliveryPolicy Name => DeliveryPolicy.Broadcast;

    public IDispatchPolicy Create(QueueDispatcher dispatcher) => new BroadcastPolicy(dispatcher, store, tails, memory);
}
