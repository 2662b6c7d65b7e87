namespace PushQueue.Queues;

/// <summary>
/// Keeps the queues: one state machine per queue, behind which may be a log on disk or Redis. Every store passes the same contract suite
/// (<c>MessageStoreContract</c>). Rules that hold for all operations:
/// a queue is made by its first put or settings change, never by a look or a take;
/// nothing is given out before the record of its put is as durable as the put's answer promised;
/// an operation that fails has changed nothing;
/// time comes from the <see cref="TimeProvider"/> the store was made with;
/// an operation whose answer cannot express a failure throws <see cref="StoreUnavailableException"/> while the store is out of reach;
/// <see cref="BroadcastAsync"/> may return nothing instead.
/// Order of ready messages: higher priority, then earlier <see cref="Message.AvailableAt"/> (a plain put: now, never going back), then
/// arrival. A message that comes back from a lease without a delay keeps its place.
/// </summary>
internal interface IMessageStore : IMessageBrowser, IBroadcastHistory, IQueueCatalog, IStoreLifecycle
{
    /// <summary>
    /// Names of queues in their order, behind <paramref name="after"/>, which need not be the name of a queue. Cheaper than
    /// <see cref="IQueueCatalog.ListQueuesAsync"/>, because nothing is read of the queues themselves.
    /// </summary>
    async ValueTask<IReadOnlyList<string>> ListNamesAsync(string? after, int limit)
    {
        var page = await ListQueuesAsync(after, limit);
        return [.. page.Queues.Select(static queue => queue.Name.Value)];
    }

    /// <summary>Stores one message. Fails with QueueFull, UniqueKeyTaken, DiskFull or StoreUnavailable.</summary>
    ValueTask<BrokerResult<PutOutcome>> PutAsync(QueueName queue, NewMessage message);

    /// <summary>Stores all or none, in order, contiguously. Elements whose id is known are duplicates and are not stored.</summary>
    ValueTask<BrokerResult<IReadOnlyList<PutOutcome>>> PutManyAsync(QueueName queue, IReadOnlyList<NewMessage> messages);

    /// <summary>Removes up to <paramref name="count"/> next ready messages for good; empty where none is ready.</summary>
    /// <param name="queue">The queue.</param>
    /// <param name="count">At least 1.</param>
    /// <param name="bytesMax">Bytes of bodies at most; the first message goes whatever its size.</param>
    /// <param name="selection">Which messages.</param>
    /// <param name="evenWhenStopped">Take although the queue is stopped; else a stopped queue gives QueueStopped.</param>
    /// <param name="bytesAtOnce">Where the bodies exceed this, nothing is removed, and the take fails with TooLargeAtOnce.</param>
    ValueTask<BrokerResult<IReadOnlyList<Message>>> TakeAsync(
        QueueName queue,
        int count,
        int bytesMax,
        Selection selection = default,
        bool evenWhenStopped = false,
        int bytesAtOnce = int.MaxValue);

    /// <summary>Reserves next ready messages. Fails with QueueStopped.</summary>
    ValueTask<BrokerResult<IReadOnlyList<Lease>>> LeaseAsync(QueueName queue, LeaseRequest request);

    /// <summary>Ends leases whose work is done: the messages are gone. One answer per key: None, LeaseLost or NotFound.</summary>
    ValueTask<IReadOnlyList<QueueError>> AckAsync(QueueName queue, IReadOnlyList<LeaseKey> keys);

    /// <summary>
    /// Gives leased messages back. One answer per key: None, LeaseLost or NotFound. A counted release after the last attempt moves the
    /// message to the dead-letter queue instead, in one durable step.
    /// </summary>
    ValueTask<IReadOnlyList<QueueError>> ReleaseAsync(QueueName queue, IReadOnlyList<LeaseKey> keys, ReleaseRequest request);

    /// <summary>Whether leases still stand, without changing them. One answer per key: None, LeaseLost or NotFound.</summary>
    ValueTask<IReadOnlyList<QueueError>> CheckAsync(QueueName queue, IReadOnlyList<LeaseKey> keys);

    /// <summary>Sets the end of leases to now + <paramref name="timeToRun"/>. One answer per key: None, LeaseLost or NotFound.</summary>
    ValueTask<IReadOnlyList<QueueError>> TouchAsync(QueueName queue, IReadOnlyList<LeaseKey> keys, TimeSpan timeToRun);

    /// <summary>
    /// Ends leases that were taken by a caller's time (<see cref="Selection.DueBy"/>) and whose time plus time to run is not after
    /// <paramref name="dueBy"/>, the earliest first, as failed attempts; their messages are available at once. Other leases stay.
    /// </summary>
    /// <returns>How many ended, at most <paramref name="limit"/>.</returns>
    ValueTask<BrokerResult<int>> EndDueLeasesAsync(QueueName queue, DateTimeOffset dueBy, int limit);

    /// <summary>
    /// Gives the next ready messages their offsets and moves them from ready to history, durably: when this returns, no crash can give
    /// one of these offsets to another message. Empty where none is ready or the queue is stopped. An offset is left out where the disk has
    /// damaged its message; who passes them on tells of that. Where it throws, messages may have got offsets; history has them later.
    /// </summary>
    ValueTask<IReadOnlyList<Message>> BroadcastAsync(QueueName queue, int count, int bytesMax);

    /// <summary>Removes a live message in any state, durably. False if no live message has the id.</summary>
    ValueTask<BrokerResult<bool>> CancelAsync(QueueName queue, MessageId id);

    /// <summary>
    /// Makes a live message available at another time; a leased one loses its lease. False if no live message has the id.
    /// </summary>
    ValueTask<BrokerResult<bool>> RescheduleAsync(QueueName queue, MessageId id, DateTimeOffset availableAt);

    /// <summary>
    /// Moves dead letters back to the queue they came from, attempts at zero, ids kept. Fails with NotFound where <paramref name="id"/> is
    /// given and unknown. Returns how many moved.
    /// </summary>
    /// <param name="deadLetterQueue">The dead-letter queue.</param>
    /// <param name="id">One message, or null for the next <paramref name="count"/>.</param>
    /// <param name="count">At most this many.</param>
    ValueTask<BrokerResult<int>> ReplayAsync(QueueName deadLetterQueue, MessageId? id, int count);

    /// <summary>
    /// Removes up to <paramref name="count"/> live messages of any state, the next ready ones first, in one durable step. Settings,
    /// history and counters stay; leases on what is removed end as after <see cref="CancelAsync"/>.
    /// </summary>
    /// <returns>How many are gone; 0 for an unknown queue.</returns>
    ValueTask<BrokerResult<int>> PurgeAsync(QueueName queue, int count);

    /// <summary>
    /// Records that the queue is in use from now until <paramref name="ahead"/> has passed, so that <see cref="QueueSettings.Expires"/>
    /// counts from then. Nothing happens where the queue does not exist, or does not expire.
    /// </summary>
    ValueTask KeepAsync(QueueName queue, TimeSpan ahead);
}
