using PushQueue.Delivery;
using PushQueue.Queues;

namespace PushQueue.Tests.Support;

/// <summary>A client that may do everything.</summary>
internal sealed class AllRights : IConsumerRights
{
    public bool MayStay => true;

    public int Version => 0;

    public bool MayListen(QueueName queue) => true;
}
