using PushQueue.Queues;

namespace PushQueue.Storage.Embedded;

/// <summary>The events of a queue while its lock was held; the listener gets it when the lock is free.</summary>
internal sealed class QueueEvents(EmbeddedQueue owner)
{
    private readonly QueueName _queue = owner.Name;
    private List<QueueName>? _ready;
    private List<(MessageId Id, FinishedMessage Outcome)>? _finished;
    private List<(MessageId Id, Receipt Receipt)>? _cancelled;
    private List<(MessageId Id, Receipt Receipt)>? _leasesEnded;
    private List<string>? _failedWorkers;
    private long _nextOffset;
    private bool _settingsChanged;
    private bool _isReady;
    private bool _isDeleted;

    public void Ready() => _isReady = true;

    /// <summary>Messages became ready in another queue.</summary>
    public void Ready(QueueName other) => (_ready ??= []).Add(other);

    /// <summary>Offsets below that one went to history without a round of the dispatcher.</summary>
    public void Broadcast(long nextOffset) => _nextOffset = nextOffset;

    public void Deleted() => _isDeleted = true;

    public void SettingsChanged() => _settingsChanged = true;

    public void Finished(MessageId id, FinishedMessage outcome) => (_finished ??= []).Add((id, outcome));

    public void LeasedCancelled(MessageId id, Receipt receipt) => (_cancelled ??= []).Add((id, receipt));

    public void LeaseEnded(MessageId id, Receipt receipt) => (_leasesEnded ??= []).Add((id, receipt));

    public void WorkerFailed(string worker) => (_failedWorkers ??= []).Add(worker);

    public void Notify(IQueueChangeListener listener)
    {
        // The end of a lease comes before the end of its message, so that the holder learns first how its lease ended.
        foreach (var (id, receipt) in _cancelled ?? [])
        {
            listener.OnLeasedCancelled(_queue, id, receipt);
        }

        foreach (var (id, receipt) in _leasesEnded ?? [])
        {
            listener.OnLeaseEnded(_queue, id, receipt);
        }

        foreach (var worker in _failedWorkers ?? [])
        {
            listener.OnWorkerFailed(_queue, worker);
        }

        foreach (var (id, outcome) in _finished ?? [])
        {
            listener.OnFinished(_queue, id, outcome);
        }

        if (_settingsChanged)
        {
            owner.NotifySettings(listener);
        }

        if (_isDeleted)
        {
            listener.OnDeleted(_queue);
        }

        if (_nextOffset > 0)
        {
            listener.OnBroadcast(_queue, _nextOffset);
        }

        if (_isReady)
        {
            listener.OnReady(_queue);
            if (owner.FeedsHistory())
            {
                listener.OnFeeding(_queue);
            }
        }

        foreach (var other in _ready ?? [])
        {
            listener.OnReady(other);
        }
    }
}
