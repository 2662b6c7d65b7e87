using Microsoft.Extensions.Logging;

namespace PushQueue.InProcess;

internal static partial class Log
{
    [LoggerMessage(900, LogLevel.Warning, "The stream of {Queue} waits for the store: {Reason}")]
    public static partial void WaitsForStore(ILogger logger, string queue, string reason);

    [LoggerMessage(901, LogLevel.Debug, "The stream of {Queue} still waits for the store, try {Attempt}: {Reason}")]
    public static partial void StillWaits(ILogger logger, string queue, int attempt, string reason);
}
