namespace PushQueue.Queues;

/// <summary>
/// Failures that a client can cause, as values. Each adapter maps them once to its own words (the native API: <c>ProblemDetailsMapper</c>).
/// </summary>
internal enum QueueError
{
    None = 0,

    /// <summary>The queue is stopped and gives nothing out.</summary>
    QueueStopped,

    /// <summary>The queue's maxMessages or maxBytes is reached.</summary>
    QueueFull,

    /// <summary>A message with that unique key still waits.</summary>
    UniqueKeyTaken,

    /// <summary>
    /// The next messages are larger than the caller takes for good before it has written them; it leases them. No client sees it.
    /// </summary>
    TooLargeAtOnce,

    /// <summary>The body exceeds the limit.</summary>
    MessageTooLarge,

    /// <summary>A batch exceeds the limit of one request.</summary>
    BatchTooLarge,

    /// <summary>An option or a field has a value that cannot be.</summary>
    BadOption,

    /// <summary>The queue name breaks a rule.</summary>
    BadQueueName,

    /// <summary>The body is not what the request needs (broken JSON, wrong type).</summary>
    BadBody,

    /// <summary>No such message or queue.</summary>
    NotFound,

    /// <summary>The receipt is no longer the current one.</summary>
    LeaseLost,

    /// <summary>As many puts as may wait for their message's end do so already.</summary>
    TooManyWaiting,

    /// <summary>The node has as many queues as it may; nothing was made.</summary>
    TooManyQueues,

    /// <summary>The server has as many queue subscriptions as it may; nothing was changed.</summary>
    TooManySubscriptions,

    /// <summary>The node holds as many messages or bytes as it may; nothing was stored.</summary>
    ServerFull,

    /// <summary>No room on the disk; nothing was stored.</summary>
    DiskFull,

    /// <summary>The store is broken or out of reach; nothing is promised.</summary>
    StoreUnavailable,

    /// <summary>The node is shutting down.</summary>
    ShuttingDown,
}
