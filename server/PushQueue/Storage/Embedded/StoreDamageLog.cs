using Microsoft.Extensions.Logging;
using PushQueue.Queues;

namespace PushQueue.Storage.Embedded;

/// <summary>Reports damage of the log, always with file and place, and keeps count for the store's status.</summary>
internal sealed partial class StoreDamageLog(ILogger logger)
{
    private readonly Lock _gate = new();
    private StoreDamage? _found;

    /// <summary>The damage found since the store was opened; null if nothing was found.</summary>
    public StoreDamage? Found
    {
        get
        {
            lock (_gate)
            {
                return _found;
            }
        }
    }

    public void Unreadable(string file, long from, long to)
    {
        Log.Unreadable(logger, file, from, to);
        Count($"{Path.GetFileName(file)} is damaged from byte {from} to byte {to}.");
    }

    /// <param name="file">The segment.</param>
    /// <param name="end">Where the last record that is left ends.</param>
    /// <param name="expected">Where the last record ended once.</param>
    /// <param name="messages">How many message records are missing.</param>
    public void Cut(string file, long end, long expected, long messages)
    {
        Log.Cut(logger, file, end, expected, messages);
        Count($"{Path.GetFileName(file)} lacks its end from byte {end} to byte {expected}, with {messages} messages.");
    }

    /// <param name="file">The first segment that is missing.</param>
    /// <param name="count">How many segments are missing there.</param>
    /// <param name="bytes">Their bytes, as far as the log says.</param>
    /// <param name="messages">Their message records, as far as the log says.</param>
    public void Missing(string file, int count, long bytes, long messages)
    {
        Log.Missing(logger, file, count, bytes, messages);
        Count($"Missing segments from {Path.GetFileName(file)} on: {count}, with at least {messages} messages.");
    }

    public void UnreadableMessage(MessageId id, QueueName queue, string file, long offset)
    {
        Log.UnreadableMessage(logger, id, queue, file, offset);
        Count($"Message {id} of queue {queue} is damaged in {Path.GetFileName(file)} at byte {offset}.");
    }

    public void Nameless(QueueName queue)
    {
        Log.Nameless(logger, queue);
        Count($"Damage destroyed the name of a queue; its messages are in queue {queue}.");
    }

    public void Namesake(QueueName queue, QueueName found)
    {
        Log.Namesake(logger, queue, found);
        Count($"Two queues had the name {queue}; the older one's messages are in queue {found}.");
    }

    public void TornTail(string file, long from, long bytes) => Log.TornTail(logger, file, from, bytes);

    public void NewEpochs() => Log.NewEpochs(logger);

    /// <param name="file">A file or folder that has the name of a segment, or nearly.</param>
    /// <param name="reason">Why it does not belong to the log: the end of a sentence.</param>
    public void LeftAlone(string file, string reason) => Log.LeftAlone(logger, file, reason);

    /// <summary>A segment whose drop is recorded was still there.</summary>
    public void Deleted(string file) => Log.Deleted(logger, file);

    /// <summary>A segment stands under the name of another.</summary>
    public void Misnamed(string file, int number) => Log.Misnamed(logger, file, number);

    /// <summary>A segment that was missing at an earlier start is there again.</summary>
    public void CameBack(string file) => Log.CameBack(logger, file);

    private void Count(string latest)
    {
        lock (_gate)
        {
            _found = new StoreDamage((_found?.Places ?? 0) + 1, latest);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(
            1030, LogLevel.Error, "Damage in {File} from byte {From} to byte {To}: the records there are lost, all others are served")]
        public static partial void Unreadable(ILogger logger, string file, long from, long to);

        [LoggerMessage(
            1042, LogLevel.Error,
                "{File} lacks its end from byte {End} to byte {Expected}: about {Messages} messages are lost, all others are served")]
        public static partial void Cut(ILogger logger, string file, long end, long expected, long messages);

        [LoggerMessage(
            1031, LogLevel.Error, "Segment {File} is missing ({Count} in a row): at least {Bytes} bytes with {Messages} messages are "
                + "lost, the rest is served")]
        public static partial void Missing(ILogger logger, string file, int count, long bytes, long messages);

        [LoggerMessage(1032, LogLevel.Warning, "Cut {Bytes} bytes of an unfinished write off the end of {File} at byte {From}")]
        public static partial void TornTail(ILogger logger, string file, long from, long bytes);

        [LoggerMessage(1034, LogLevel.Error, "Damage destroyed the name of a queue; its messages are served as queue {Queue}")]
        public static partial void Nameless(ILogger logger, QueueName queue);

        [LoggerMessage(
            1035, LogLevel.Error, "After damage two queues have the name {Queue}; the messages of the older one are served as queue "
                + "{Found}")]
        public static partial void Namesake(ILogger logger, QueueName queue, QueueName found);

        [LoggerMessage(
            1036, LogLevel.Error, "Message {Id} of queue {Queue} is lost: its record in {File} is damaged at byte {Offset}")]
        public static partial void UnreadableMessage(ILogger logger, MessageId id, QueueName queue, string file, long offset);

        [LoggerMessage(
            1033, LogLevel.Warning, "The log cannot prove the latest broadcast offsets; consumers that resume get a reset")]
        public static partial void NewEpochs(ILogger logger);

        [LoggerMessage(1037, LogLevel.Warning, "{File} does not belong to the log and is left alone: {Reason}")]
        public static partial void LeftAlone(ILogger logger, string file, string reason);

        [LoggerMessage(
            1043, LogLevel.Information, "Deleted {File}: by the log's records all its messages are finished or stored elsewhere")]
        public static partial void Deleted(ILogger logger, string file);

        [LoggerMessage(1038, LogLevel.Warning, "{File} contains segment {Number} of the log under another name; it is read as that "
            + "segment")]
        public static partial void Misnamed(ILogger logger, string file, int number);

        [LoggerMessage(
            1039, LogLevel.Warning,
                "Segment {File} was missing and is back; its messages are served, even those that were finished before it disappeared")]
        public static partial void CameBack(ILogger logger, string file);
    }
}
