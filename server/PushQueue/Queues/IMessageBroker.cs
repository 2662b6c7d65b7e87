namespace PushQueue.Queues;

/// <summary>
/// Every operation on queues, once. All front doors (REST, commands, hub, dialects) call it and differ only in how they read and write.
/// It adds to the store what is the node's own: size limits, waiting for messages, counters per worker, refusing while the node drains.
/// </summary>
internal interface IMessageBroker : IMessageBrowser, IQueueCatalog
{
    /// <summary>Bodies above this many bytes are refused.</summary>
    int MessageBytesMax { get; }

    Durability Durability { get; }

    /// <summary>Stores one message; see <see cref="IMessageStore.PutAsync"/>. Also fails with MessageTooLarge and ShuttingDown.</summary>
    ValueTask<BrokerResult<PutOutcome>> PutAsync(QueueName queue, NewMessage message);

    /// <summary>A worker puts back what it took for good and failed with: counts as failed for the queue and for the worker.</summary>
    ValueTask<BrokerResult<PutOutcome>> PutBackAsync(QueueName queue, NewMessage message, string? worker);

    /// <summary>
    /// Stores one message and waits until it ends, at most <paramref name="wait"/>. An id that is live waits for that message's end.
    /// Also fails with TooManyWaiting; then nothing was stored.
    /// </summary>
    /// <exception cref="OperationCanceledException">The caller went away while waiting; the message stays.</exception>
    ValueTask<BrokerResult<AwaitedPut>> PutAndWaitAsync(
        QueueName queue, NewMessage message, TimeSpan wait, CancellationToken cancellationToken);

    ValueTask<BrokerResult<IReadOnlyList<PutOutcome>>> PutManyAsync(QueueName queue, IReadOnlyList<NewMessage> messages);

    /// <summary>Takes messages for good, waiting up to <see cref="TakeRequest.Wait"/> for the first. Empty where none came.</summary>
    /// <exception cref="OperationCanceledException">The caller went away while waiting; nothing was taken.</exception>
    ValueTask<BrokerResult<IReadOnlyList<Message>>> TakeAsync(QueueName queue, TakeRequest request, CancellationToken cancellationToken);

    /// <summary>Leases messages, waiting like <see cref="TakeAsync"/>.</summary>
    /// <exception cref="OperationCanceledException">The caller went away while waiting; nothing was leased.</exception>
    ValueTask<BrokerResult<IReadOnlyList<Lease>>> LeaseAsync(QueueName queue, TakeRequest request, CancellationToken cancellationToken);

    ValueTask<IReadOnlyList<QueueError>> AckAsync(QueueName queue, IReadOnlyList<LeaseKey> keys);

    ValueTask<IReadOnlyList<QueueError>> ReleaseAsync(QueueName queue, IReadOnlyList<LeaseKey> keys, ReleaseRequest request);

    ValueTask<IReadOnlyList<QueueError>> TouchAsync(QueueName queue, IReadOnlyList<LeaseKey> keys, TimeSpan timeToRun);

    /// <summary>See <see cref="IMessageStore.EndDueLeasesAsync"/>.</summary>
    ValueTask<BrokerResult<int>> EndDueLeasesAsync(QueueName queue, DateTimeOffset dueBy, int limit);

    ValueTask<BrokerResult<bool>> CancelAsync(QueueName queue, MessageId id);

    ValueTask<BrokerResult<bool>> RescheduleAsync(QueueName queue, MessageId id, DateTimeOffset availableAt);

    /// <summary>Puts dead letters back; with a filter or a rate it runs until done, but no longer than a minute.</summary>
    /// <exception cref="OperationCanceledException">The caller went away; what was put back stays so.</exception>
    ValueTask<BrokerResult<ReplayOutcome>> ReplayAsync(
        QueueName deadLetterQueue, ReplayRequest request, CancellationToken cancellationToken);

    /// <summary>
    /// Removes as many live messages as the queue holds at the beginning of the call, whatever their state. The queue, its settings, its
    /// history and its consumers stay as they are, and other operations on the queue are served meanwhile.
    /// </summary>
    /// <returns>How many are gone; null for an unknown queue.</returns>
    ValueTask<BrokerResult<long?>> PurgeAsync(QueueName queue);
}

/// <summary>The request of a take or a lease.</summary>
/// <param name="Count">At most this many messages, at least 1.</param>
/// <param name="Wait">How long to wait for the first message; zero to answer at once.</param>
/// <param name="TimeToRun">For a lease: how long; null for the queue's setting.</param>
/// <param name="Worker">The worker's name, for its counters.</param>
/// <param name="EvenWhenStopped">Take although the queue is stopped (a dialect's rule).</param>
/// <param name="Selection">Which messages; a selection by the caller's time does not wait.</param>
/// <param name="NewQueuePolicy">For a lease: a queue that does not exist is made with this policy; null to make none.</param>
internal sealed record TakeRequest(
    int Count = 1,
    TimeSpan Wait = default,
    TimeSpan? TimeToRun = null,
    string? Worker = null,
    bool EvenWhenStopped = false,
    Selection Selection = default,
    DeliveryPolicy? NewQueuePolicy = null)
{
    /// <summary>
    /// Holds what the answer is about until it is written, where that is more than a socket takes at once. Null where nothing can break in
    /// between: a take is then for good. The caller that sets it reports the end of the answer.
    /// </summary>
    public PendingTake? Pending { get; init; }
}
