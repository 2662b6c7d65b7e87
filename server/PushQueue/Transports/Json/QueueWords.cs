using PushQueue.Queues;

namespace PushQueue.Transports.Json;

/// <summary>The words of the API for the values of queues and messages.</summary>
internal static class QueueWords
{
    public static string Policy(DeliveryPolicy policy) => policy == DeliveryPolicy.RoundRobin ? "roundrobin" : "broadcast";

    public static string Status(QueueSettings settings) => settings.Stopped ? "stopped" : "started";

    public static string Overflow(FullQueuePolicy overflow) => overflow == FullQueuePolicy.Reject ? "reject" : "drop-oldest";
}
