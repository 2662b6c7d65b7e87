namespace PushQueue.Client;

/// <summary>Takes, leases and consumes messages. Calls throw <see cref="PushQueueException"/> for what is refused.</summary>
public interface IPushQueueConsumer
{
    /// <summary>Takes the next message without a lease; null if no message is ready.</summary>
    /// <param name="queue">The queue.</param>
    /// <param name="wait">Wait so long for one; at most 60 s.</param>
    /// <param name="worker">This program's name, for its counters.</param>
    /// <param name="where">Conditions on the headers of the message, of which all must hold: <c>tenant=7</c>, <c>tenant=7|8</c> or
    /// <c>tenant</c>. Null for any message.</param>
    /// <param name="cancellationToken">Ends the call; over HTTP a message may have been taken and lost with it, so lease what must not be
    /// lost.</param>
    Task<Message?> TakeAsync(string queue, TimeSpan? wait = null, string? worker = null, IReadOnlyList<string>? where = null,
        CancellationToken cancellationToken = default);

    /// <summary>Leases the next message; null if no message is ready. Without an ack it is delivered again when the lease ends.</summary>
    /// <param name="queue">The queue.</param>
    /// <param name="timeToRun">The lease ends after this; 100 ms to 24 h.</param>
    /// <param name="wait">Wait so long for one; at most 60 s.</param>
    /// <param name="worker">This program's name, for its counters.</param>
    /// <param name="where">Conditions on the headers of the message, of which all must hold: <c>tenant=7</c>, <c>tenant=7|8</c> or
    /// <c>tenant</c>. Null for any message.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    Task<Message?> LeaseAsync(
        string queue, TimeSpan timeToRun, TimeSpan? wait = null, string? worker = null, IReadOnlyList<string>? where = null,
        CancellationToken cancellationToken = default);

    /// <summary>Takes up to <paramref name="count"/> messages (1 to 1000) without a lease; fewer, or none, if fewer are ready.</summary>
    Task<IReadOnlyList<Message>> TakeManyAsync(
        string queue, int count, TimeSpan? wait = null, string? worker = null, IReadOnlyList<string>? where = null,
        CancellationToken cancellationToken = default);

    /// <summary>Leases up to <paramref name="count"/> messages (1 to 1000).</summary>
    Task<IReadOnlyList<Message>> LeaseManyAsync(
        string queue, int count, TimeSpan timeToRun, TimeSpan? wait = null, string? worker = null,
        IReadOnlyList<string>? where = null, CancellationToken cancellationToken = default);

    /// <summary>Acknowledges a leased message. <see cref="Message.AckAsync"/> and its like are the easier way.</summary>
    /// <exception cref="PushQueueException"><see cref="ProblemTypes.LeaseLost"/>, <see cref="ProblemTypes.NotFound"/>, …</exception>
    Task AckAsync(string queue, string id, string receipt, CancellationToken cancellationToken = default);

    /// <summary>Gives a leased message back, which counts as a failed attempt.</summary>
    /// <inheritdoc cref="AckAsync" path="/exception"/>
    Task ReleaseAsync(
        string queue, string id, string receipt, TimeSpan? delay = null, string? error = null,
        CancellationToken cancellationToken = default);

    /// <summary>Gives a leased message back without having begun to work on it, which does not count as a failed attempt.</summary>
    /// <inheritdoc cref="AckAsync" path="/exception"/>
    Task ReleaseUnstartedAsync(
        string queue, string id, string receipt, TimeSpan? delay = null, CancellationToken cancellationToken = default);

    /// <summary>Gives a leased message back as one that no attempt can do: it goes to the dead-letter queue at once, with the reason
    /// <c>rejected</c>, or is dropped where the queue keeps no dead letters.</summary>
    /// <inheritdoc cref="AckAsync" path="/exception"/>
    Task DeadLetterAsync(string queue, string id, string receipt, string? error = null, CancellationToken cancellationToken = default);

    /// <summary>Has a lease end after <paramref name="timeToRun"/> from now; null for what the queue's settings say.</summary>
    /// <inheritdoc cref="AckAsync" path="/exception"/>
    Task TouchAsync(string queue, string id, string receipt, TimeSpan? timeToRun = null, CancellationToken cancellationToken = default);

    /// <summary>Acks up to 10,000 leased messages of one queue together.</summary>
    /// <returns>The ids of those whose lease was lost; usually none.</returns>
    Task<IReadOnlyList<string>> AckManyAsync(string queue, IEnumerable<Message> messages, CancellationToken cancellationToken = default);

    /// <summary>Has a queue's messages pushed: <c>await foreach (var message in client.ConsumeAsync("orders"))</c>.</summary>
    /// <param name="queue">The queue; it need not exist yet.</param>
    /// <param name="options">How; null for auto ack.</param>
    /// <param name="cancellationToken">Ends the enumeration with an <see cref="OperationCanceledException"/>.</param>
    MessageStream ConsumeAsync(string queue, ConsumeOptions? options = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// Has the messages of many queues pushed on one stream: <c>client.ConsumeManyAsync(["orders"], ["invoices.*"])</c>. Each message names
    /// its queue; there is no order between queues. Queues that are made later and match join by themselves. Another enumeration resumes
    /// all queues by <see cref="MessageStream.Cursor"/>. <see cref="ConsumeOptions.Prefetch"/> counts the messages of all queues together;
    /// <see cref="ConsumeOptions.Grace"/> has no effect. <see cref="ConsumeOptions.Where"/> is refused, and
    /// <see cref="ConsumeOptions.From"/> is <c>latest</c>, <c>earliest</c> or a cursor of such a stream.
    /// </summary>
    /// <param name="queues">The queues, at most 100; they need not exist yet.</param>
    /// <param name="patterns">Patterns of names, at most 20; a star stands for any characters. At most 1,000 queues may match.</param>
    /// <param name="options">How; null for auto ack.</param>
    /// <param name="cancellationToken">Ends the enumeration with an <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="ArgumentException">There is no queue and no pattern.</exception>
    MessageStream ConsumeManyAsync(
        IEnumerable<string> queues, IEnumerable<string> patterns, ConsumeOptions? options = null,
        CancellationToken cancellationToken = default);

    /// <summary>Says that a worker is there.</summary>
    Task RegisterWorkerAsync(string queue, string worker, CancellationToken cancellationToken = default);

    /// <summary>Says that a worker has gone.</summary>
    Task ForgetWorkerAsync(string queue, string worker, CancellationToken cancellationToken = default);
}
