namespace PushQueue.Queues;

/// <summary>
/// Keeps the queues: one state machine per queue, behind which may be a log on disk or Redis. Every store passes the same contract suite
/// (<c>MessageStoreContract</c>). Rules that hold for all operations:
/// a queue is made by its first put or settings change, never by a look or a take;
/// nothing is given out before the record of its put is as durable as the put's answer promised;
/// an operation that fails has changed nothing;
/// time comes from the <see cref="TimeProvider"/> the store was made with.
/// Order of ready messages: higher priority, then earlier <see cref="Message.AvailableAt"/> (a plain put: now, never going back), then
/// arrival. A message that comes back from a lease without a delay keeps its place.
/// </summary>
internal interface IMessageStore : IAsyncDisposable
{
    /// <summary>What the store is and where, for people: "embedded log in /var/lib/pushqueue".</summary>
    string Description { get; }

    Durability Durability { get; }

    /// <summary>Null while the store can serve; else one sentence that says why not.</summary>
    string? UnavailableReason { get; }

    /// <summary>Opens the store and loads what it holds. Called once, before anything else.</summary>
    /// <exception cref="StoreOpenException">The store cannot be opened; the message is for the operator.</exception>
    Task OpenAsync(IQueueChangeListener listener, CancellationToken cancellationToken);

    /// <summary>Stores one message. Fails with QueueFull, UniqueKeyTaken, DiskFull or StoreUnavailable.</summary>
    ValueTask<BrokerResult<PutOutcome>> PutAsync(QueueName queue, NewMessage message);

    /// <summary>Stores all or none, in order, contiguously. Elements whose id is known are duplicates and are not stored.</summary>
    ValueTask<BrokerResult<IReadOnlyList<PutOutcome>>> PutManyAsync(QueueName queue, IReadOnlyList<NewMessage> messages);

    /// <summary>Removes up to <paramref name="count"/> next ready messages for good; empty where none is ready.</summary>
    /// <param name="queue">The queue.</param>
    /// <param name="count">At least 1.</param>
    /// <param name="evenWhenStopped">Take although the queue is stopped (a dialect's rule); else a stopped queue gives QueueStopped.</param>
    ValueTask<BrokerResult<IReadOnlyList<Message>>> TakeAsync(QueueName queue, int count, bool evenWhenStopped = false);

    /// <summary>Reserves next ready messages. Fails with QueueStopped.</summary>
    ValueTask<BrokerResult<IReadOnlyList<Lease>>> LeaseAsync(QueueName queue, LeaseRequest request);

    /// <summary>Ends leases whose work is done: the messages are gone. One answer per key: None, LeaseLost or NotFound.</summary>
    ValueTask<IReadOnlyList<QueueError>> AckAsync(QueueName queue, IReadOnlyList<LeaseKey> keys);

    /// <summary>
    /// Gives leased messages back. One answer per key: None, LeaseLost or NotFound. A counted release after the last attempt moves the
    /// message to the dead-letter queue instead, in one durable step.
    /// </summary>
    ValueTask<IReadOnlyList<QueueError>> ReleaseAsync(QueueName queue, IReadOnlyList<LeaseKey> keys, ReleaseRequest request);

    /// <summary>Sets the end of leases to now + <paramref name="timeToRun"/>. One answer per key: None, LeaseLost or NotFound.</summary>
    ValueTask<IReadOnlyList<QueueError>> TouchAsync(QueueName queue, IReadOnlyList<LeaseKey> keys, TimeSpan timeToRun);

    /// <summary>
    /// Gives the next ready messages their offsets and moves them from ready to history, durably: when this returns, no crash can give
    /// one of these offsets to another message. Empty where none is ready or the queue is stopped.
    /// </summary>
    ValueTask<IReadOnlyList<Message>> BroadcastAsync(QueueName queue, int count, int bytesMax);

    /// <summary>Reads history from <paramref name="fromOffset"/> on (or from its beginning where that is later); null for an unknown queue.</summary>
    ValueTask<HistoryPage?> ReadHistoryAsync(QueueName queue, long fromOffset, int count, int bytesMax);

    /// <summary>The next ready message, left where it is; its <see cref="Message.Looks"/> counts this look. Null where none is ready.</summary>
    ValueTask<Message?> LookAsync(QueueName queue);

    /// <summary>Messages of one state in the order in which they come out; <paramref name="after"/> is an opaque <see cref="MessagePage.Next"/>.
    /// A page may be shorter than its limit: it ends at 16 MiB of bodies, after one message at least.</summary>
    /// <returns>Fails with BadOption where <paramref name="after"/> is not of this operation's making. An unknown queue gives an empty page.</returns>
    ValueTask<BrokerResult<MessagePage>> BrowseAsync(QueueName queue, MessageState state, string? after, int limit);

    /// <summary>A live message by id, in any state; null where there is none.</summary>
    ValueTask<Message?> FindAsync(QueueName queue, MessageId id);

    /// <summary>Removes a live message in any state, durably. False where there is none.</summary>
    ValueTask<BrokerResult<bool>> CancelAsync(QueueName queue, MessageId id);

    /// <summary>
    /// Makes a live message available at another time; a leased one loses its lease. False where there is none.
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

    /// <summary>Deletes the queue with its messages, history, settings and counters. False where there was none.</summary>
    ValueTask<BrokerResult<bool>> DeleteQueueAsync(QueueName queue);

    /// <summary>Null for a queue that was never made.</summary>
    ValueTask<QueueInfo?> GetQueueAsync(QueueName queue);

    ValueTask<QueuePage> ListQueuesAsync(string? after, int limit);

    /// <summary>Changes settings durably, making the queue where there is none. Returns the settings as they are now.</summary>
    ValueTask<BrokerResult<QueueSettings>> UpdateSettingsAsync(QueueName queue, QueueSettingsPatch patch);
}

/// <summary>The store cannot be opened. The message is one sentence for the operator.</summary>
internal sealed class StoreOpenException(string message, Exception? inner = null) : Exception(message, inner);
