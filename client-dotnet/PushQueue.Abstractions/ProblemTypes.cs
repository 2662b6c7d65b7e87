namespace PushQueue.Client;

/// <summary>The values of <see cref="PushQueueException.Type"/>. A server may send others; compare, never parse.</summary>
public static class ProblemTypes
{
    /// <summary>The server could not be reached; nothing was sent.</summary>
    public const string Unreachable = "unreachable";

    /// <summary>The connection broke before the answer came; the request may have been executed or not.</summary>
    public const string ConnectionLost = "connection-lost";

    /// <summary>No answer within <c>PushQueueClientOptions.RequestTimeout</c>; the request may or may not have been done.</summary>
    public const string Timeout = "timeout";

    /// <summary>The answer is not one that PushQueue gives: the address is probably another server's.</summary>
    public const string BadAnswer = "bad-answer";

    /// <summary>The body of a message is not what the program wanted to read it as.</summary>
    public const string BadBody = "bad-body";

    /// <summary>An option is unknown, missing or has an impossible value.</summary>
    public const string BadOption = "bad-option";

    /// <summary>The name of the queue breaks a rule.</summary>
    public const string BadQueueName = "bad-queue-name";

    /// <summary>The id of the message breaks a rule.</summary>
    public const string BadMessageId = "bad-message-id";

    /// <summary>There is no such message, queue, worker or path.</summary>
    public const string NotFound = "not-found";

    /// <summary>The key is missing or unknown.</summary>
    public const string Unauthorized = "unauthorized";

    /// <summary>The key does not allow this.</summary>
    public const string Forbidden = "forbidden";

    /// <summary>A take from a stopped queue.</summary>
    public const string QueueStopped = "queue-stopped";

    /// <summary>The receipt is no longer the current one: the lease ended, and the message may be with another worker.</summary>
    public const string LeaseLost = "lease-lost";

    /// <summary>A stream asked for a policy, and the queue has the other one.</summary>
    public const string WrongPolicy = "wrong-policy";

    /// <summary>A message with that unique key waits.</summary>
    public const string UniqueKeyTaken = "unique-key-taken";

    /// <summary>A message is larger than the server allows.</summary>
    public const string MessageTooLarge = "message-too-large";

    /// <summary>A batch is larger than the server allows.</summary>
    public const string BatchTooLarge = "batch-too-large";

    /// <summary>The queue's limit is reached.</summary>
    public const string QueueFull = "queue-full";

    /// <summary>The key's rate, or the connection's, is used up; try again in a moment.</summary>
    public const string TooManyRequests = "too-many-requests";

    /// <summary>The key, the address or the server has as many connections as it may.</summary>
    public const string TooManyConnections = "too-many-connections";

    /// <summary>The server cannot reach its store, or the store did not answer in time: what was asked for may have been done.</summary>
    public const string StoreUnavailable = "store-unavailable";

    /// <summary>The server is stopping; try again in a moment.</summary>
    public const string ShuttingDown = "shutting-down";

    /// <summary>The server that a stream came from is stopping.</summary>
    internal const string ServerShutdown = "server-shutdown";

    /// <summary>The server's disk is full; nothing was stored.</summary>
    public const string DiskFull = "disk-full";

    /// <summary>A fault of the server. A put may or may not have been stored.</summary>
    public const string InternalError = "internal-error";

    /// <summary>The queue was deleted.</summary>
    public const string QueueDeleted = "queue-deleted";

    /// <summary>A worker of a queue that broadcasts, and so leases nothing.</summary>
    public const string NotRoundRobin = "not-roundrobin";

    /// <summary>Another connection took this consumer's place.</summary>
    public const string Replaced = "replaced";

    /// <summary>An operator ended the stream.</summary>
    public const string Disconnected = "disconnected";

    /// <summary>The key was revoked or has expired while the stream stood, or no longer covers the queue.</summary>
    public const string AccessEnded = "access-ended";
}
