using Microsoft.Extensions.Logging;

namespace PushQueue.Client.Handlers;

internal static partial class HandlerLog
{
    [LoggerMessage(101, LogLevel.Warning, "The work on message {Id} of {Queue} failed at attempt {Attempt}; the message is given back")]
    public static partial void Failed(ILogger logger, Exception exception, string queue, string id, int attempt);

    [LoggerMessage(102, LogLevel.Warning, "Message {Id} of {Queue} is no longer leased to this worker: its lease ended or it was "
        + "cancelled")]
    public static partial void Lost(ILogger logger, string queue, string id);

    [LoggerMessage(103, LogLevel.Warning, "The server did not confirm the end of message {Id} of {Queue}; the message will come again")]
    public static partial void NotSettled(ILogger logger, Exception exception, string queue, string id);

    [LoggerMessage(104, LogLevel.Warning, "Work at {Queue} did not end before the program had to stop; it is cancelled")]
    public static partial void DrainTimedOut(ILogger logger, string queue);

    [LoggerMessage(105, LogLevel.Debug, "The worker of {Queue} could not register: {Reason}")]
    public static partial void NotRegistered(ILogger logger, string queue, string reason);

    [LoggerMessage(106, LogLevel.Error, "The worker of {Queue} cannot consume, and tries again: {Reason}")]
    public static partial void Refused(ILogger logger, string queue, string reason);

    [LoggerMessage(107, LogLevel.Debug, "The worker of {Queue} still cannot consume: {Reason}")]
    public static partial void StillRefused(ILogger logger, string queue, string reason);

    [LoggerMessage(108, LogLevel.Warning, "Message {Id} of {Queue} is dead-lettered: {Reason}")]
    public static partial void DeadLettered(ILogger logger, string queue, string id, string reason);

    [LoggerMessage(109, LogLevel.Warning, "The work on message {Id} of {Queue} did not end within {Timeout}; it is given back")]
    public static partial void TimedOut(ILogger logger, string queue, string id, TimeSpan timeout);

    [LoggerMessage(110, LogLevel.Error, "The work on message {Id} of {Queue} ignores its cancellation; the message is given back")]
    public static partial void Abandoned(ILogger logger, string queue, string id);

    [LoggerMessage(111, LogLevel.Error, "The worker of {Queue} failed, and begins again")]
    public static partial void Crashed(ILogger logger, Exception exception, string queue);

    [LoggerMessage(112, LogLevel.Warning, "The leases of {Count} messages of {Queue} that wait for their handler could not be extended; "
        + "the handler tries again")]
    public static partial void NotExtended(ILogger logger, Exception exception, string queue, int count);
}
