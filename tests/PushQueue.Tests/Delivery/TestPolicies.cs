using PushQueue.Delivery;
using PushQueue.Delivery.Policies;
using PushQueue.Queues;

namespace PushQueue.Tests.Delivery;

/// <summary>The policies of a dispatcher that a test makes by hand.</summary>
internal static class TestPolicies
{
    public static IDispatchPolicyFactory[] All(IMessageStore store, ConsumerRegistry registry, TimeProvider time)
    {
        var taps = new MessageTaps(time);
        return [new BroadcastPolicyFactory(store, taps, registry.Memory), new RoundRobinPolicyFactory(store, taps, registry.Memory)];
    }
}
