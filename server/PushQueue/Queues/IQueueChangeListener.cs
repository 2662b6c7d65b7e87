namespace PushQueue.Queues;

/// <summary>
/// Notifications from the store, upwards. Called outside all locks of the store's state, from any thread, in no promised order between
/// queues. An implementation only notes the notification and returns: it never blocks, awaits, or calls the store.
/// </summary>
internal interface IQueueChangeListener
{
    /// <summary>Messages of the queue may have become ready.</summary>
    void OnReady(QueueName queue);

    /// <summary>
    /// A put or a change of settings made the queue, perhaps at another node. A dead-letter queue that its own queue makes is not
    /// announced.
    /// </summary>
    void OnMade(QueueName queue)
    {
    }

    /// <summary>The calls for one queue come one after the other; the last one carries the current settings.</summary>
    void OnSettingsChanged(QueueName queue, QueueSettings settings);

    /// <summary>The queue was deleted with everything in it.</summary>
    void OnDeleted(QueueName queue);

    /// <summary>Whether somebody is connected to the queue here. The store asks before it deletes a queue that nobody has used.</summary>
    bool Uses(QueueName queue) => false;

    /// <summary>
    /// Whether a message that is put now is broadcast as soon as it is durable: then the store may give it its offset in the same write.
    /// True where consumers are live here and have room, false where another reader waits for the messages, too, null otherwise. The
    /// store asks before a write, and only for queues whose messages <see cref="IMessageStore.BroadcastAsync"/> has returned.
    /// </summary>
    bool? Pushes(QueueName queue) => null;

    /// <summary>A message left the store for good by a cancel while it was leased; its worker may stop.</summary>
    void OnLeasedCancelled(QueueName queue, MessageId id, Receipt receipt);

    /// <summary>
    /// A lease ended without an ack: it was released, its time ran out, or its message was rescheduled. Its holder has room for another
    /// message. Called for recorded leases only, not for those that last while a message is written.
    /// </summary>
    void OnLeaseEnded(QueueName queue, MessageId id, Receipt receipt)
    {
    }

    /// <summary>A named worker failed with a message: its lease ended without an ack, by a counted release or by time.</summary>
    void OnWorkerFailed(QueueName queue, string worker)
    {
    }

    /// <summary>
    /// Offsets below <paramref name="nextOffset"/> have been given out, perhaps by another node: what lies between them and the last one
    /// that this node has seen is in history. A store of one node does not have to call it.
    /// </summary>
    void OnBroadcast(QueueName queue, long nextOffset)
    {
    }

    /// <summary>
    /// Messages of a broadcast queue that has subscribers became ready: they go to history although nobody listens. Called in addition
    /// to <see cref="OnReady"/>.
    /// </summary>
    void OnFeeding(QueueName queue)
    {
    }

    /// <summary>
    /// The store was out of reach and is back: notifications of that time may have been missed. A listener that remembers anything of a
    /// queue (its settings, its position, that nothing is ready) asks again.
    /// </summary>
    void OnResumed()
    {
    }

    /// <summary>
    /// A leased message was acked, or dead-lettered after its last attempt: a request that waits for its end can be answered.
    /// </summary>
    void OnFinished(QueueName queue, MessageId id, FinishedMessage outcome);
}

/// <summary>How a message ended.</summary>
/// <param name="Acked">True when a worker acked it; false when it was dead-lettered, dropped or cancelled.</param>
/// <param name="Worker">The last worker's name.</param>
/// <param name="Attempts">How often it was leased.</param>
/// <param name="Reason">Why it was not acked.</param>
/// <param name="Elsewhere">Another node did it, and counts it.</param>
/// <param name="Receipt">
/// Of the recorded lease that an ack ended; empty if it ended otherwise; its holder is notified of that separately.
/// </param>
internal sealed record FinishedMessage(
    bool Acked, string? Worker, int Attempts, string? Reason, bool Elsewhere = false, Receipt Receipt = default)
{
    /// <summary>The message may have ended while no notification came.</summary>
    public static FinishedMessage Unseen { get; } = new(Acked: false, Worker: null, Attempts: 0, Reason: null);
}
