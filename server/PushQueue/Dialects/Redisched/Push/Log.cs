using Microsoft.Extensions.Logging;

namespace PushQueue.Dialects.Redisched.Push;

internal static partial class Log
{
    [LoggerMessage(650, LogLevel.Error, "Pushing topic {Topic} failed; it goes on in a moment")]
    public static partial void LoopFailed(ILogger logger, Exception exception, string topic);

    [LoggerMessage(651, LogLevel.Error, "Pushing job {Id} of topic {Topic} failed; it comes again when its lease ends")]
    public static partial void PushFailed(ILogger logger, Exception exception, string topic, string id);

    [LoggerMessage(652, LogLevel.Warning, "Topic {Topic} cannot be pushed to {Receiver}: {Reason}. Its jobs are tried again, less and less often")]
    public static partial void ReceiverFails(ILogger logger, string topic, string receiver, string reason);
}
