using Microsoft.Extensions.Logging;

namespace PushQueue.Storage.Redis;

/// <summary>The log events of the Redis store, numbers 120 to 149.</summary>
internal static partial class Log
{
    [LoggerMessage(120, LogLevel.Warning,
        "Redis at {Address} was restarted or replaced and may have lost data: earlier broadcast cursors are invalid")]
    public static partial void AnotherIncarnation(ILogger logger, string address);

    [LoggerMessage(122, LogLevel.Debug, "A due time was not registered: {Sentence}")]
    public static partial void NotRegistered(ILogger logger, string sentence);

    [LoggerMessage(123, LogLevel.Debug, "Due queues were not swept: {Sentence}")]
    public static partial void NotSwept(ILogger logger, string sentence);

    [LoggerMessage(124, LogLevel.Warning, "The store cannot serve: {Sentence}")]
    public static partial void Away(ILogger logger, string sentence);

    [LoggerMessage(125, LogLevel.Warning, "Redis at {Address} is back")]
    public static partial void Back(ILogger logger, string address);

    [LoggerMessage(126, LogLevel.Warning, "Node {Node} has stopped; its leases are returned")]
    public static partial void DeclaredDead(ILogger logger, string node);

    [LoggerMessage(127, LogLevel.Warning, "The other nodes declared this node dead; it continues under another number")]
    public static partial void WasDeclaredDead(ILogger logger);

    [LoggerMessage(128, LogLevel.Debug, "The node could not announce that it stops: {Sentence}")]
    public static partial void LeftUnnoticed(ILogger logger, string sentence);

    [LoggerMessage(129, LogLevel.Error, "A query of another node could not be answered")]
    public static partial void AnswerFailed(ILogger logger, Exception exception);

    [LoggerMessage(130, LogLevel.Warning, "Redis at {Address} answered but sent no notifications; this node subscribed to them again")]
    public static partial void Resubscribed(ILogger logger, string address);

    [LoggerMessage(132, LogLevel.Warning, "{Sentence} The node starts as soon as this is repaired")]
    public static partial void Waiting(ILogger logger, string sentence);

    [LoggerMessage(133, LogLevel.Warning, "Redis can be used now; the node starts")]
    public static partial void Started(ILogger logger);

    [LoggerMessage(134, LogLevel.Debug, "Queue {Queue} could not be added to the directory: {Sentence}")]
    public static partial void NotListed(ILogger logger, string queue, string sentence);

    [LoggerMessage(135, LogLevel.Information,
        "{Count} messages of queue {Queue} were leased by calls whose answers were lost; they are returned")]
    public static partial void GivenBack(ILogger logger, long count, string queue);

    [LoggerMessage(137, LogLevel.Debug, "Follow-up work waits for the next heartbeat: {Sentence}")]
    public static partial void UpkeepWaits(ILogger logger, string sentence);

    [LoggerMessage(138, LogLevel.Information,
        "Queue {Queue} was deleted: it was not used for the time of its setting expires. It contained {Messages} messages")]
    public static partial void Unused(ILogger logger, string queue, long messages);

    [LoggerMessage(140, LogLevel.Warning,
        "Queue {Queue} subscribes to others, and messages that wait there for a consumer go to history with a later heartbeat: {Sentence}")]
    public static partial void FeedWaits(ILogger logger, string queue, string sentence);

    [LoggerMessage(141, LogLevel.Debug, "Queue {Queue} follows its new settings with the next due timers: {Sentence}")]
    public static partial void StepsWait(ILogger logger, string queue, string sentence);

    [LoggerMessage(139, LogLevel.Warning,
        "A packet on the channel of notifications cannot be read; notifications may have been missed")]
    public static partial void Unreadable(ILogger logger, Exception exception);
}
