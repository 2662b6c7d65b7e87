using PushQueue.Queues;

namespace PushQueue.Tests.Delivery.Cluster;

/// <summary>
/// Carries the store's news to all nodes as pub/sub does: nothing is promised. Drops what the test says, or some at random.
/// </summary>
internal sealed class TestBell(Random random) : IQueueChangeListener
{
    private readonly Lock _lock = new();
    private readonly List<TestNode> _nodes = [];

    /// <summary>Of a hundred news for a node, so many are dropped.</summary>
    public int DropPercent { get; set; }

    public void Add(TestNode node)
    {
        lock (_lock)
        {
            _nodes.Add(node);
        }
    }

    public void Ring(Action<IQueueChangeListener> news)
    {
        TestNode[] hearing;
        lock (_lock)
        {
            hearing = [.. _nodes.Where(node => !node.IsDeaf && random.Next(100) >= DropPercent)];
        }

        Array.ForEach(hearing, node => news(node.Dispatcher));
    }

    public void OnReady(QueueName queue) => Ring(listener => listener.OnReady(queue));

    public void OnSettingsChanged(QueueName queue, QueueSettings settings) => Ring(listener => listener.OnSettingsChanged(queue, settings));

    public void OnDeleted(QueueName queue) => Ring(listener => listener.OnDeleted(queue));

    public void OnLeasedCancelled(QueueName queue, MessageId id, Receipt receipt) =>
        Ring(listener => listener.OnLeasedCancelled(queue, id, receipt));

    public void OnLeaseEnded(QueueName queue, MessageId id, Receipt receipt) => Ring(listener => listener.OnLeaseEnded(queue, id, receipt));

    public void OnFinished(QueueName queue, MessageId id, FinishedMessage outcome) =>
        Ring(listener => listener.OnFinished(queue, id, outcome));
}
