using Microsoft.Extensions.Logging;

namespace PushQueue.Client.Streaming;

internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "The stream of {Queue} connects again in {Delay}, try {Attempt}: {Cause}")]
    public static partial void Reconnecting(ILogger logger, string queue, TimeSpan delay, int attempt, string cause);

    [LoggerMessage(2, LogLevel.Debug, "The stream of {Queue} could not say goodbye")]
    public static partial void GoodbyeFailed(ILogger logger, Exception exception, string queue);
}
