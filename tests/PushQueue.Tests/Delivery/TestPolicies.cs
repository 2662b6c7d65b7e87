using PushQueue.Delivery;
using PushQueue.Delivery.Policies;
using PushQueue.Queues;

namespace PushQueue.Tests.Delivery;

/// <summary>The policies of a dispatcher that a test makes by hand.</summary>
internal static class TestPolicies
{
    public static IDispatchPolicyFactory[] All(IMessageStore store, ConsumerRegistry registry, TimeProvider time)
    {
        var tails = new MessageTails(time);
        return [new BroadcastPolicyFactory(store, tails, registry.Memory), new RoundRobinPolicyFactory(store, tails, registry.Memory)];
    }
}
