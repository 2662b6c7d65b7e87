namespace PushQueue.Queues;

/// <summary>Forwards the store's news to everyone who listens, in the order of their registration.</summary>
internal sealed class QueueChangeFanout(IEnumerable<IQueueChangeListener> listeners) : IQueueChangeListener
{
    private readonly IQueueChangeListener[] _listeners = [.. listeners];

    public void OnReady(QueueName queue)
    {
        foreach (var listener in _listeners)
        {
            listener.OnReady(queue);
        }
    }

    public void OnSettingsChanged(QueueName queue, QueueSettings settings)
    {
        foreach (var listener in _listeners)
        {
            listener.OnSettingsChanged(queue, settings);
        }
    }

    public void OnDeleted(QueueName queue)
    {
        foreach (var listener in _listeners)
        {
            listener.OnDeleted(queue);
        }
    }

    public void OnLeasedCancelled(QueueName queue, MessageId id, Receipt receipt)
    {
        foreach (var listener in _listeners)
        {
            listener.OnLeasedCancelled(queue, id, receipt);
        }
    }

    public void OnLeaseEnded(QueueName queue, MessageId id, Receipt receipt)
    {
        foreach (var listener in _listeners)
        {
            listener.OnLeaseEnded(queue, id, receipt);
        }
    }

    public void OnWorkerFailed(QueueName queue, string worker)
    {
        foreach (var listener in _listeners)
        {
            listener.OnWorkerFailed(queue, worker);
        }
    }

    public void OnFinished(QueueName queue, MessageId id, FinishedMessage outcome)
    {
        foreach (var listener in _listeners)
        {
            listener.OnFinished(queue, id, outcome);
        }
    }

    public void OnBroadcast(QueueName queue, long nextOffset)
    {
        foreach (var listener in _listeners)
        {
            listener.OnBroadcast(queue, nextOffset);
        }
    }

    public void OnResumed()
    {
        foreach (var listener in _listeners)
        {
            listener.OnResumed();
        }
    }
}
