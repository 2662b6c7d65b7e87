using Microsoft.Extensions.Logging;

namespace PushQueue.Client;

internal static partial class WorkerLog
{
    [LoggerMessage(101, LogLevel.Warning, "The work on message {Id} of {Queue} failed at attempt {Attempt}; it is given back")]
    public static partial void Failed(ILogger logger, Exception exception, string queue, string id, int attempt);

    [LoggerMessage(102, LogLevel.Warning, "Message {Id} of {Queue} was lost to this worker meanwhile: its lease ended or it was cancelled")]
    public static partial void Lost(ILogger logger, string queue, string id);

    [LoggerMessage(103, LogLevel.Warning, "The server could not be told about message {Id} of {Queue}; it will come again")]
    public static partial void NotSettled(ILogger logger, Exception exception, string queue, string id);

    [LoggerMessage(104, LogLevel.Warning, "Work at {Queue} did not end within {Timeout}; it is cancelled")]
    public static partial void DrainTimedOut(ILogger logger, string queue, TimeSpan timeout);

    [LoggerMessage(105, LogLevel.Information, "The worker of {Queue} could not register")]
    public static partial void NotRegistered(ILogger logger, Exception exception, string queue);
}
