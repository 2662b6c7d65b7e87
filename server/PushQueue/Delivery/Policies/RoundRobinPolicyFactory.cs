using PushQueue.Queues;

namespace PushQueue.Delivery.Policies;

internal sealed class RoundRobinPolicyFactory(
    IMessageStore store, MessageTails tails, MemoryBudget memory) : IDispatchPolicyFactory
{
    public DeliveryPolicy Name => DeliveryPolicy.RoundRobin;

    public IDispatchPolicy Create(QueueDispatcher dispatcher) => new RoundRobinPolicy(dispatcher, store, tails, memory);
}
