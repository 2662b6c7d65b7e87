using Microsoft.Extensions.Logging;

namespace PushQueue.Transports.Streaming;

internal static partial class Log
{
    [LoggerMessage(400, LogLevel.Error, "Opening a {Transport} stream of queue {Queue} failed")]
    public static partial void StreamFailed(ILogger logger, Exception exception, string transport, string? queue);

    [LoggerMessage(401, LogLevel.Error, "A WebSocket command failed")]
    public static partial void CommandFailed(ILogger logger, Exception exception);
}
