using Microsoft.Extensions.Logging;

namespace PushQueue.Transports.SignalR;

internal static partial class Log
{
    [LoggerMessage(500, LogLevel.Debug, "A hub client disconnected while its WebSocket was being opened")]
    public static partial void OpeningFailed(ILogger logger, Exception exception);

    [LoggerMessage(501, LogLevel.Error, "Serving a hub connection failed")]
    public static partial void HubFailed(ILogger logger, Exception exception);

    [LoggerMessage(502, LogLevel.Error, "The hub method {Method} failed")]
    public static partial void MethodFailed(ILogger logger, Exception exception, string method);
}
