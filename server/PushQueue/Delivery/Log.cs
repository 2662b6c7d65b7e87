using Microsoft.Extensions.Logging;

namespace PushQueue.Delivery;

internal static partial class Log
{
    [LoggerMessage(302, LogLevel.Information, "Cut a {Transport} connection from {RemoteAddress}: {Reason}, {WaitingBytes} bytes waiting")]
    public static partial void ConnectionCut(ILogger logger, string transport, string? remoteAddress, string reason, int waitingBytes);

    [LoggerMessage(307, LogLevel.Information, "The node stops: it reports not ready, and continues to serve for {Duration}")]
    public static partial void Leaving(ILogger logger, TimeSpan duration);

    [LoggerMessage(304, LogLevel.Information, "Draining {Connections} connections with {Consumers} consumers")]
    public static partial void Draining(ILogger logger, int connections, int consumers);
}
