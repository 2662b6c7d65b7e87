using Microsoft.Extensions.Logging;

namespace PushQueue.EntityFrameworkCore;

internal static partial class OutboxLog
{
    [LoggerMessage(201, LogLevel.Warning, "The outbox of {Context} cannot be forwarded, and is tried again: {Reason}")]
    public static partial void Away(ILogger logger, string context, string reason);

    [LoggerMessage(202, LogLevel.Debug, "The outbox of {Context} still cannot be forwarded: {Reason}")]
    public static partial void StillAway(ILogger logger, string context, string reason);

    [LoggerMessage(203, LogLevel.Information, "The outbox of {Context} is forwarded again")]
    public static partial void Back(ILogger logger, string context);

    [LoggerMessage(204, LogLevel.Error, "The outbox of {Context} failed, and is tried again")]
    public static partial void Failed(ILogger logger, Exception exception, string context);

    [LoggerMessage(205, LogLevel.Debug, "The outbox of {Context} still fails")]
    public static partial void StillFails(ILogger logger, Exception exception, string context);

    [LoggerMessage(206, LogLevel.Warning, "The queue {Queue} takes no messages of the outbox for the moment, and is tried again: {Reason}")]
    public static partial void QueueWaits(ILogger logger, string queue, string reason);

    [LoggerMessage(207, LogLevel.Error, "Message {Id} for {Queue} is set aside in the outbox, because the server refuses it: {Reason}")]
    public static partial void SetAside(ILogger logger, string queue, string id, string reason);

    [LoggerMessage(208, LogLevel.Information, "The queue {Queue} knows the ids of its messages for {Window} now")]
    public static partial void WindowChanged(ILogger logger, string queue, TimeSpan window);

    [LoggerMessage(209, LogLevel.Warning, "The queue {Queue} may not know the ids of its messages long enough, and a message may be put "
        + "twice when a forwarder is killed: give its dedupWindow at least {Window}, or the key the permission manage. {Reason}")]
    public static partial void WindowRefused(ILogger logger, string queue, TimeSpan window, string reason);

    [LoggerMessage(210, LogLevel.Warning, "A forwarder left the outbox of {Queue} at {At} and was replaced after the dedup window; its "
        + "last batch may be in the queue twice")]
    public static partial void Uncertain(ILogger logger, string queue, DateTimeOffset at);

    [LoggerMessage(211, LogLevel.Debug, "The lease of {Queue} could not be renewed")]
    public static partial void BeatFailed(ILogger logger, Exception exception, string queue);

    [LoggerMessage(212, LogLevel.Error, "The rows of the inbox of {Context} could not be cleaned, and are tried again")]
    public static partial void NotCleaned(ILogger logger, Exception exception, string context);
}
