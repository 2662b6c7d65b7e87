namespace PushQueue.Queues;

/// <summary>A message reserved for one worker.</summary>
/// <param name="Message">The message; its <see cref="Message.Attempt"/> counts this lease.</param>
/// <param name="Receipt">The receipt that ack, release and touch must present.</param>
/// <param name="Until">When the lease ends by itself; null while it lives as long as its holder's connection does.</param>
internal readonly record struct Lease(Message Message, Receipt Receipt, DateTimeOffset? Until);

/// <summary>One lease as a worker names it.</summary>
/// <param name="Id">The message.</param>
/// <param name="Receipt">
/// The lease's receipt. The empty receipt stands for the current lease of any holder, except a lease that lasts only while a message is
/// written: it serves a dialect whose clients know no receipts. A client can never send an empty receipt.
/// </param>
internal readonly record struct LeaseKey(MessageId Id, Receipt Receipt);

/// <summary>The request of a lease.</summary>
/// <param name="Count">At most this many messages, at least 1.</param>
/// <param name="BytesMax">Stop before the bodies exceed this many bytes; the first message always goes.</param>
/// <param name="TimeToRun">
/// How long the lease lasts; null for a lease that lasts until it is acked or released, because its holder's connection guards it.
/// </param>
/// <param name="Worker">The worker's name, kept with the message.</param>
/// <param name="Delivery">
/// True for a stream with auto ack: the lease lasts only while the message is written to a connection. It is not recorded (after a crash
/// the message is simply ready) and does not count as an attempt.
/// </param>
/// <param name="Streaming">
/// True for a message that is pushed to a connection of this node: where several nodes share the queue, the others give it back when this
/// node dies, however long the lease would last.
/// </param>
/// <param name="Consumers">
/// For streams: how many consumers of this node take turns. A store that many nodes share computes the share of each node from it.
/// </param>
/// <param name="Room">For streams: how many messages those consumers could take now, at least <paramref name="Count"/>.</param>
/// <param name="Selection">
/// Which messages. A lease by a caller's time ends after the time to run by the store's clock; it also keeps that time plus the time to
/// run, for <see cref="IMessageStore.EndDueLeasesAsync"/>.
/// </param>
/// <param name="EvenWhenStopped">Lease although the queue is stopped, for a take that may do that.</param>
internal sealed record LeaseRequest(
    int Count,
    int BytesMax,
    TimeSpan? TimeToRun,
    string? Worker = null,
    bool Delivery = false,
    bool Streaming = false,
    int Consumers = 0,
    int Room = 0,
    Selection Selection = default,
    bool EvenWhenStopped = false)
{
    /// <summary>Whether the lease cannot outlive the node that took it.</summary>
    public bool IsNodeBound => TimeToRun is null || Delivery || Streaming;
}

/// <summary>How a leased message is given back.</summary>
/// <param name="Delay">Not given out again before this time has passed; null for the retry delay of message or queue.</param>
/// <param name="Error">The reason, kept as the message's last error.</param>
/// <param name="CountsAsAttempt">False where no worker began to work on it: a write to a connection failed, or the holder says so.</param>
/// <param name="Worker">The worker that gives it back, if the lease was taken without a name.</param>
/// <param name="AvailableAt">Available from exactly this time, even where it is past; wins over delays.</param>
/// <param name="Backoff">The wait after a failed attempt where neither the message nor the queue has a retry delay; null for none.</param>
/// <param name="DeadLetter">Another attempt is pointless: the message is dead-lettered at once. In a dead-letter queue this is an ordinary
/// failed attempt. Only with <paramref name="CountsAsAttempt"/>.</param>
internal sealed record ReleaseRequest(
    TimeSpan? Delay = null,
    string? Error = null,
    bool CountsAsAttempt = true,
    string? Worker = null,
    DateTimeOffset? AvailableAt = null,
    RetryDelay? Backoff = null,
    bool DeadLetter = false)
{
    /// <summary>The wait after a failed attempt.</summary>
    /// <param name="ofMessage">The message's own; null where it has none.</param>
    /// <param name="ofQueue">The queue's setting, where none is the same as never set.</param>
    public RetryDelay RetryDelayOf(RetryDelay? ofMessage, RetryDelay ofQueue) =>
        ofMessage ?? (ofQueue == RetryDelay.None ? Backoff : null) ?? ofQueue;
}
