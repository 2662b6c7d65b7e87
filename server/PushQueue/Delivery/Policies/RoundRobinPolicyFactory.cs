using PushQueue.Queues;

namespace PushQueue.Delivery.Policies;

internal sealed class RoundRobinPolicyFactory(
    IMessageStore store, MessageTaps taps, MemoryBudget memory) : IDispatchPolicyFactory
{
    public DeliveryPolicy Name => DeliveryPolicy.RoundRobin;

    public IDispatchPolicy Create(QueueDispatcher dispatcher) => new RoundRobinPolicy(dispatcher, store, taps, memory);
}
