using Microsoft.Extensions.Logging;

namespace PushQueue.Delivery;

internal static partial class Log
{
    [LoggerMessage(300, LogLevel.Error, "A round of queue {Queue} failed; it is tried again")]
    public static partial void RoundFailed(ILogger logger, Exception exception, string queue);

    [LoggerMessage(301, LogLevel.Error, "Reading history of queue {Queue} for a consumer failed; its connection is closed")]
    public static partial void CatchUpFailed(ILogger logger, Exception exception, string queue);

    [LoggerMessage(302, LogLevel.Information, "Cut a {Transport} connection from {RemoteAddress}: {Reason}, {WaitingBytes} bytes waiting")]
    public static partial void ConnectionCut(ILogger logger, string transport, string? remoteAddress, string reason, int waitingBytes);

    [LoggerMessage(303, LogLevel.Error, "Watching a {Transport} connection failed")]
    public static partial void WatchFailed(ILogger logger, Exception exception, string transport);

    [LoggerMessage(305, LogLevel.Error, "Messages of queue {Queue} could not be acked or given back; it is tried again")]
    public static partial void SettleFailed(ILogger logger, Exception exception, string queue);

    [LoggerMessage(306, LogLevel.Error, "The leases that consumers of queue {Queue} hold could not be checked")]
    public static partial void CheckFailed(ILogger logger, Exception exception, string queue);

    [LoggerMessage(304, LogLevel.Information, "Draining {Connections} connections with {Consumers} consumers")]
    public static partial void Draining(ILogger logger, int connections, int consumers);
}
