namespace PushQueue.Queues;

/// <summary>
/// News from the store, upwards. Called outside all locks of the store, from any thread, in no promised order between queues; an
/// implementation only notes the news and returns (it never blocks, awaits, or calls the store from within).
/// </summary>
internal interface IQueueChangeListener
{
    /// <summary>Messages of the queue may have become ready.</summary>
    void OnReady(QueueName queue);

    void OnSettingsChanged(QueueName queue, QueueSettings settings);

    /// <summary>The queue was deleted with everything in it.</summary>
    void OnDeleted(QueueName queue);

    /// <summary>A message left the store for good by a cancel while it was leased; its worker may stop.</summary>
    void OnLeasedCancelled(QueueName queue, MessageId id, Receipt receipt);

    /// <summary>
    /// A lease ended without an ack: it was released, its time ran out, or its message was rescheduled. Whoever held it has room for another.
    /// Told of recorded leases only, not of those that last while a message is written.
    /// </summary>
    void OnLeaseEnded(QueueName queue, MessageId id, Receipt receipt)
    {
    }

    /// <summary>A named worker failed with a message: its lease ended without an ack, by a counted release or by time.</summary>
    void OnWorkerFailed(QueueName queue, string worker)
    {
    }

    /// <summary>A leased message was acked, or dead-lettered after its last attempt: whoever waits for its end can be answered.</summary>
    void OnFinished(QueueName queue, MessageId id, FinishedMessage outcome);
}

/// <summary>How a message ended.</summary>
/// <param name="Acked">True when a worker acked it; false when it was dead-lettered, dropped or cancelled.</param>
/// <param name="Worker">The last worker's name.</param>
/// <param name="Attempts">How often it was leased.</param>
/// <param name="Reason">Why it was not acked.</param>
internal sealed record FinishedMessage(bool Acked, string? Worker, int Attempts, string? Reason);
