using Microsoft.Extensions.Logging;
using PushQueue.Queues;

namespace PushQueue.Storage.Embedded;

/// <summary>How damage of the log is reported: always with file and place, never in silence.</summary>
internal static partial class Damage
{
    [LoggerMessage(1030, LogLevel.Error, "Damage in {File} from byte {From} to byte {To}: what stood there is lost, the rest is served")]
    public static partial void Report(ILogger logger, string file, long from, long to);

    [LoggerMessage(1031, LogLevel.Error, "Segment {File} is missing: what stood there is lost, the rest is served")]
    public static partial void ReportMissing(ILogger logger, string file);

    [LoggerMessage(1032, LogLevel.Warning, "Cut {Bytes} bytes of an unfinished write off the end of {File} at byte {From}")]
    public static partial void ReportTornTail(ILogger logger, string file, long from, long bytes);

    [LoggerMessage(1034, LogLevel.Error, "Damage took the name of a queue: its messages are served as queue {Queue}")]
    public static partial void ReportNameless(ILogger logger, QueueName queue);

    [LoggerMessage(1035, LogLevel.Error, "Damage left two queues of the name {Queue}: the messages of the older one are served as queue {Found}")]
    public static partial void ReportNamesake(ILogger logger, QueueName queue, QueueName found);

    [LoggerMessage(1036, LogLevel.Error, "Message {Id} of queue {Queue} is lost: the disk damaged its record in {File} at byte {Offset}")]
    public static partial void ReportUnreadable(ILogger logger, MessageId id, QueueName queue, string file, long offset);

    [LoggerMessage(1033, LogLevel.Warning, "The log cannot prove where broadcasts stood; consumers that resume are told to start anew")]
    public static partial void ReportNewEpochs(ILogger logger);
}
