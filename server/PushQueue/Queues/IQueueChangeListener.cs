namespace PushQueue.Queues;

/// <summary>
/// News from the store, upwards. Called outside all locks of the store's state, from any thread, in no promised order between queues; an
/// implementation only notes the news and returns (it never blocks, awaits, or calls the store from within).
/// </summary>
internal interface IQueueChangeListener
{
    /// <summary>Messages of the queue may have become ready.</summary>
    void OnReady(QueueName queue);

    /// <summary>Of a queue, one call after the other; the last one tells what holds.</summary>
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

    /// <summary>
    /// Offsets below <paramref name="nextOffset"/> have been given out, perhaps by another node: what lies between them and the last that was
    /// seen here is in history. A store of one node need not tell it.
    /// </summary>
    void OnBroadcast(QueueName queue, long nextOffset)
    {
    }

    /// <summary>
    /// The store was out of reach and is back: news of that time may have been missed. Whoever remembers anything of a queue (its settings, its
    /// position, that nothing is ready) asks again.
    /// </summary>
    void OnResumed()
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
/// <param name="Elsewhere">Another node did it, and counts it.</param>
/// <param name="Receipt">Of the recorded lease that an ack ended; none where it ended otherwise, which its holder is told apart.</param>
internal sealed record FinishedMessage(
    bool Acked, string? Worker, int Attempts, string? Reason, bool Elsewhere = false, Receipt Receipt = default)
{
    /// <summary>The message may have ended while no news came.</summary>
    public static FinishedMessage Unseen { get; } = new(Acked: false, Worker: null, Attempts: 0, Reason: null);
}
