using PushQueue.Queues;

namespace PushQueue.Storage.Redis;

/// <summary>One call for leases without an answer.</summary>
/// <param name="queue">The queue.</param>
/// <param name="node">Number of the node to which the leases are bound.</param>
/// <param name="receipts">The receipts that they would have, 8 bytes each.</param>
internal sealed class LostLease(QueueName queue, string node, byte[] receipts)
{
    public QueueName Queue => queue;

    public string Node => node;

    public byte[] Receipts => receipts;

    /// <summary>How often it was looked for.</summary>
    public int Looks { get; set; }

    /// <summary>The number of heartbeats until the node looks for it again.</summary>
    public int Wait { get; set; }
}
