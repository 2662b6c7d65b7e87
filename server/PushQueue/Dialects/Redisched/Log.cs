using Microsoft.Extensions.Logging;

namespace PushQueue.Dialects.Redisched;

internal static partial class Log
{
    [LoggerMessage(
        652, LogLevel.Warning, "Topic {Topic} cannot be pushed to {Receiver}: {Reason}. Its jobs are retried with growing delays")]
    public static partial void ReceiverFails(ILogger logger, string topic, string receiver, string reason);
}
