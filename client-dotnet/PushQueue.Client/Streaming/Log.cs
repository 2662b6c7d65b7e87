using Microsoft.Extensions.Logging;

namespace PushQueue.Client.Streaming;

internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "The stream of {Queue} connects again in {Delay}: {Reason}")]
    public static partial void Reconnecting(ILogger logger, string queue, TimeSpan delay, string reason);

    [LoggerMessage(2, LogLevel.Debug, "The stream of {Queue} could not report its end to the server")]
    public static partial void GoodbyeFailed(ILogger logger, Exception exception, string queue);

    [LoggerMessage(3, LogLevel.Warning, "The stream of {Queue} waits for the server: {Reason}")]
    public static partial void WaitsForServer(ILogger logger, string queue, string reason);

    [LoggerMessage(4, LogLevel.Debug, "The stream of {Queue} connects again in {Delay}, try {Attempt}: {Reason}")]
    public static partial void TriesAgain(ILogger logger, string queue, TimeSpan delay, int attempt, string reason);

    [LoggerMessage(5, LogLevel.Warning, "The token of the stream of {Queue} could not be renewed: {Reason}")]
    public static partial void RenewalFailed(ILogger logger, string queue, string reason);
}
