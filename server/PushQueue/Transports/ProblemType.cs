namespace PushQueue.Transports;

/// <summary>A kind of problem. Names are stable: clients switch on them.</summary>
/// <param name="Name">The <c>type</c> of the problem details and the <c>error</c> of a command's answer.</param>
/// <param name="Status">The HTTP status.</param>
/// <param name="Title">A short heading, always the same for the kind.</param>
/// <param name="Advice">The advice if the case has no sentence of its own.</param>
internal sealed record ProblemType(string Name, int Status, string Title, string Advice)
{
    public static readonly ProblemType QueueStopped = new(
        "queue-stopped", 409, "The queue is stopped", "Start it with POST /control/{queue} and status=start, or try again later.");

    public static readonly ProblemType QueueFull = new(
        "queue-full", 429, "The queue is full",
            "Try again when messages have been taken, or raise maxMessages or maxBytes in the queue's settings.");

    public static readonly ProblemType WrongPolicy = new(
        "wrong-policy", 409, "The queue has another policy",
            "Change the policy in the queue's settings, or leave the option 'policy' out.");

    public static readonly ProblemType UniqueKeyTaken = new(
        "unique-key-taken", 409, "The unique key is taken", "A message put with that unique key still waits; nothing was stored.");

    public static readonly ProblemType MessageTooLarge = new(
        "message-too-large", 413, "The message is too large",
            "Send a smaller body, or raise the limit of the server (--max-message-bytes).");

    public static readonly ProblemType BatchTooLarge = new(
        "batch-too-large", 413, "The batch is too large", "Send the messages in several requests.");

    public static readonly ProblemType BadOption = new(
        "bad-option", 400, "An option is wrong", "Correct the option and send the request again.");

    public static readonly ProblemType BadQueueName = new(
        "bad-queue-name", 400, "The queue name is not valid", "Use 1 to 255 bytes of UTF-8 without control characters and without '/'.");

    public static readonly ProblemType BadMessageId = new(
        "bad-message-id", 400, "The message id is not valid",
            "Use 1 to 255 bytes of UTF-8 without control characters, percent-encoded in a URL.");

    public static readonly ProblemType BadJson = new(
        "bad-json", 400, "The body is not what the request needs", "Send valid JSON of the documented form.");

    public static readonly ProblemType BadCommand = new(
        "bad-command", 400, "There is no such command", "Use one of the commands of the JSON protocol.");

    public static readonly ProblemType BadRequest = new(
        "bad-request", 400, "The request is broken", "Send a complete and valid HTTP request.");

    public static readonly ProblemType Unauthorized = new(
        "unauthorized", 401, "A key is needed", "Send a valid key as Authorization: Bearer KEY.");

    public static readonly ProblemType Forbidden = new(
        "forbidden", 403, "The key may not do this", "Ask the operator for the permission.");

    public static readonly ProblemType TooManyRequests = new(
        "too-many-requests", 429, "Too much at once", "Send more slowly.");

    public static readonly ProblemType TooManyConnections = new(
        "too-many-connections", 429, "Too many connections", "Close a connection that is not needed, or use one for several queues.");

    public static readonly ProblemType TooManySubscriptions = new(
        "too-many-subscriptions", 429, "Too many subscriptions", "Open another connection.");

    public static readonly ProblemType TooManyQueues = new(
        "too-many-queues", 429, "There are too many queues", "Use or delete an existing queue, or raise the limit of the server.");

    public static readonly ProblemType ServerFull = new(
        "server-full", 429, "The server has reached its limit",
            "Try again when messages have been taken, or raise the limit of the server.");

    public static readonly ProblemType ForbiddenOrigin = new(
        "forbidden-origin", 403, "The web page may not use this server", "Allow its origin with --allow-origin if it should.");

    public static readonly ProblemType NotFound = new(
        "not-found", 404, "There is no such thing", "Check the queue, the id and the path.");

    public static readonly ProblemType MethodNotAllowed = new(
        "method-not-allowed", 405, "The method does not fit the path", "Use one of the methods of the Allow header.");

    public static readonly ProblemType LeaseLost = new(
        "lease-lost", 409, "The lease is lost",
            "The receipt is no longer the current one: the lease ended, and the message may be with another worker. Drop the work.");

    public static readonly ProblemType DeadLettered = new(
        "dead-lettered", 409, "The message has failed",
            "It ran out of attempts and is in the dead-letter queue, where it can be replayed, unless the queue keeps none.");

    public static readonly ProblemType Expired = new(
        "expired", 409, "The message expired", "No consumer acked it before its time to live ended.");

    public static readonly ProblemType Cancelled = new(
        "cancelled", 409, "The message was cancelled", "It was cancelled before it was acked.");

    public static readonly ProblemType Dropped = new(
        "dropped", 409, "The message was dropped", "The queue was full and dropped its oldest messages.");

    public static readonly ProblemType QueueDeleted = new(
        "queue-deleted", 409, "The queue was deleted", "The queue was deleted with all its messages.");

    public static readonly ProblemType TooManyWaiting = new(
        "too-many-waiting", 503, "Too many requests wait", "Do not wait, or try again later.");

    public static readonly ProblemType Unsupported = new(
        "unsupported", 415, "Not supported here", "See the documentation of this path.");

    public static readonly ProblemType DiskFull = new(
        "disk-full", 507, "The disk is full", "Nothing was stored. Try again when messages have been taken or the operator has made room.");

    public static readonly ProblemType StoreUnavailable = new(
        "store-unavailable", 503, "The store cannot serve", "Try again in a moment; the operator finds the cause in the server's log.");

    public static readonly ProblemType PushLoop = new(
        "push-loop", 508, "A push came back to its own server",
            "Subscribe the address of another program; this server's own queues need no push.");

    public static readonly ProblemType ShuttingDown = new(
        "shutting-down", 503, "The server is shutting down", "Send the request again, to another node or in a moment.");

    public static readonly ProblemType UpgradeRequired = new(
        "upgrade-required", 426, "Only WebSockets are served here", "Open a WebSocket, or listen at /sse/{queue} or /c/{queue}.");

    public static readonly ProblemType Timeout = new(
        "request-timeout", 408, "The request took too long to arrive", "Send the body faster.");

    public static readonly ProblemType InternalError = new(
        "internal-error", 500, "The server failed",
            "This is a fault of the server; its log has the cause. A put may have been stored or not: repeat it with an id.");
}
