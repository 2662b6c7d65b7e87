namespace PushQueue.Queues;

/// <summary>
/// Keeps the queues: one state machine per queue, behind which may be a log on disk or Redis. Every store passes the same contract suite
/// (<c>MessageStoreContract</c>). Rules that hold for all operations:
/// a queue is made by its first put or settings change, never by a look or a take;
/// nothing is given out before the record of its put is as durable as the put's answer promised;
/// an operation that fails has changed nothing;
/// time comes from the <see cref="TimeProvider"/> the store was made with;
/// an operation whose answer has no room for a failure throws <see cref="StoreUnavailableException"/> while the store is out of reach, except
/// <see cref="BroadcastAsync"/>, which may give nothing out instead.
/// Order of ready messages: higher priority, then earlier <see cref="Message.AvailableAt"/> (a plain put: now, never going back), then
/// arrival. A message that comes back from a lease without a delay keeps its place.
/// </summary>
internal interface IMessageStore : IAsyncDisposable
{
    /// <summary>What the store is and where, for people: "embedded log in /var/lib/pushqueue".</summary>
    string Description { get; }

    Durability Durability { get; }

    /// <summary>What it holds at this moment, cheap to ask; null where the store does not know. Of what other nodes did in the last second it may
    /// not know yet.</summary>
    StoreTotals? Totals => null;

    /// <summary>Null while the store can serve; else one sentence that says why not.</summary>
    string? UnavailableReason { get; }

    /// <summary>What the store takes up, for people to look at; null where it cannot tell. Cheap enough to be asked every second.</summary>
    ValueTask<StoreUsage?> MeasureAsync() => new((StoreUsage?)null);

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
    /// <param name="bytesMax">Bytes of bodies at most; the first message goes whatever its size.</param>
    /// <param name="evenWhenStopped">Take although the queue is stopped (a dialect's rule); else a stopped queue gives QueueStopped.</param>
    /// <param name="dueBy">Choose by the caller's clock, as <see cref="LeaseRequest.DueBy"/> does; null for the next ready ones.</param>
    ValueTask<BrokerResult<IReadOnlyList<Message>>> TakeAsync(
        QueueName queue, int count, int bytesMax, bool evenWhenStopped = false, DateTimeOffset? dueBy = null);

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
    /// Ends leases that were taken with <see cref="LeaseRequest.DueBy"/> and whose DueBy plus time to run is not after
    /// <paramref name="dueBy"/>, the earliest first, as failed attempts; their messages are available at once. Other leases it leaves alone.
    /// </summary>
    /// <returns>How many ended, at most <paramref name="limit"/>.</returns>
    ValueTask<BrokerResult<int>> RequeueAsync(QueueName queue, DateTimeOffset dueBy, int limit);

    /// <summary>How many messages, ready or delayed, have an <see cref="Message.AvailableAt"/> up to <paramref name="dueBy"/>.</summary>
    ValueTask<long> CountDueAsync(QueueName queue, DateTimeOffset dueBy);

    /// <summary>
    /// Gives the next ready messages their offsets and moves them from ready to history, durably: when this returns, no crash can give
    /// one of these offsets to another message. Empty where none is ready or the queue is stopped. An offset is left out where the disk has
    /// damaged its message; who passes them on tells of that. Where it throws, messages may have got offsets; history has them later.
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

    /// <summary>
    /// The ids of the ready messages that are last in the order, the very last first. A store that can begin at that end does; this
    /// way through all pages serves the others.
    /// </summary>
    async ValueTask<IReadOnlyList<MessageId>> NewestAsync(QueueName queue, int count)
    {
        const int PageSize = 1000;
        var newest = new Queue<MessageId>();
        string? after = null;
        do
        {
            var page = await BrowseAsync(queue, MessageState.Ready, after, PageSize);
            if (!page.Ok)
            {
                break;
            }

            foreach (var message in page.Value.Messages)
            {
                newest.Enqueue(message.Id);
                if (newest.Count > count)
                {
                    newest.Dequeue();
                }
            }

            after = page.Value.Next;
        }
        while (after is not null);

        return [.. newest.Reverse()];
    }

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

    /// <summary>
    /// Removes up to <paramref name="count"/> live messages of any state, the next ready ones first, in one durable step. Settings, history and
    /// counters stay; leases on what is removed end as after <see cref="CancelAsync"/>.
    /// </summary>
    /// <returns>How many are gone; 0 for an unknown queue.</returns>
    ValueTask<BrokerResult<int>> PurgeAsync(QueueName queue, int count);

    /// <summary>Deletes the queue with its messages, history, settings and counters. False where there was none.</summary>
    ValueTask<BrokerResult<bool>> DeleteQueueAsync(QueueName queue);

    /// <summary>Null for a queue that was never made.</summary>
    ValueTask<QueueInfo?> GetQueueAsync(QueueName queue);

    ValueTask<QueuePage> ListQueuesAsync(string? after, int limit);

    /// <summary>Changes settings durably, making the queue where there is none. Returns the settings as they are now.</summary>
    ValueTask<BrokerResult<QueueSettings>> UpdateSettingsAsync(QueueName queue, QueueSettingsPatch patch);
}

/// <summary>What a store holds.</summary>
/// <param name="Queues">Queues, those of dead letters included.</param>
/// <param name="Messages">Live messages; history does not count.</param>
/// <param name="Bytes">Their bodies.</param>
internal readonly record struct StoreTotals(long Queues, long Messages, long Bytes);

/// <summary>The store cannot be opened. The message is one sentence for the operator.</summary>
internal sealed class StoreOpenException(string message, Exception? inner = null) : Exception(message, inner);
