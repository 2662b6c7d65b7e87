using PushQueue.Queues;

namespace PushQueue.Delivery;

/// <summary>Makes the policy of one name for each queue. A new policy registers one of these and changes nothing else here.</summary>
internal interface IDispatchPolicyFactory
{
    DeliveryPolicy Name { get; }

    IDispatchPolicy Create(QueueDispatcher dispatcher);
}
