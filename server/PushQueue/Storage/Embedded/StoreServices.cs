using Microsoft.Extensions.Logging;
using PushQueue.Queues;
using PushQueue.Storage.Embedded.Records;
using PushQueue.Storage.Log;

namespace PushQueue.Storage.Embedded;

/// <summary>The services that the queues of one store share.</summary>
internal sealed class StoreServices
{
    private long _queueCount;
    private long _messages;
    private long _bytes;

    public StoreServices(IQueueDirectory queues, TimeProvider time, BodyCache cache, ILogger logger, MessageMeter? meter)
    {
        Queues = queues;
        Cache = cache;
        Damage = new StoreDamageLog(logger);
        Clock = new QueueClock(time);
        Timers = new DueTimers(Clock, time, new FaultBorder("due-timers", logger, meter));
        NotificationFaults = new FaultBorder("notification", logger, meter);
        CommitFaults = new FaultBorder("commit", logger, meter);
        QueueFaults = new FaultBorder("store", logger, meter);
        CleanerFaults = new FaultBorder("log-cleaner", logger, meter);
    }

    public IQueueDirectory Queues { get; }

    public BodyCache Cache { get; }

    /// <summary>Reports and counts damage of the log.</summary>
    public StoreDamageLog Damage { get; }

    public QueueClock Clock { get; }

    public DueTimers Timers { get; }

    /// <summary>For the notifications of one queue: whether a listener takes them has no part in what an operation has done.</summary>
    public FaultBorder NotificationFaults { get; }

    /// <summary>For what the log's thread does in a queue after a commit.</summary>
    public FaultBorder CommitFaults { get; }

    /// <summary>For what is done to each queue when the store opens, closes or lists them.</summary>
    public FaultBorder QueueFaults { get; }

    public FaultBorder CleanerFaults { get; }

    /// <summary>Set once recovery has found the end of the log.</summary>
    public MessageLog Log { get; set; } = null!;

    /// <summary>Gets the notifications; set when the store is opened.</summary>
    public IQueueChangeListener Listener { get; set; } = null!;

    /// <summary>Woken when a segment may have become worth cleaning.</summary>
    public LogCleaner? Cleaner { get; set; }

    /// <summary>The contents of all queues together.</summary>
    public StoreTotals Totals => new(Interlocked.Read(ref _queueCount), Interlocked.Read(ref _messages), Interlocked.Read(ref _bytes));

    public void CountQueues(int change) => Interlocked.Add(ref _queueCount, change);

    public void CountLive(long messages, long bytes)
    {
        _ = Interlocked.Add(ref _messages, messages);
        _ = Interlocked.Add(ref _bytes, bytes);
    }

    public long NowMs() => Clock.NowMs();

    /// <summary>The record that holds the message matters; one that others share counts once.</summary>
    public static void HoldRecord(StoredMessage message)
    {
        if (message.Shared is null || message.Shared.AddUser())
        {
            _ = message.Segment!.AddLive(message.RecordLength);
        }
    }

    /// <summary>The record of a message is on disk: of a new one, or of one that is carried forward.</summary>
    public void Relocate(StoredMessage message, Segment segment, in LocatedRecord located)
    {
        var record = (located.Content as CarriedPart)?.Record ?? (message.Place == MessagePlace.Pending ? message.Shared : null);
        if (message.Place == MessagePlace.Pending)
        {
            Stand(message, segment, record, located);
            return;
        }

        // A body in memory is counted with the record that it came with.
        var body = message.Body;
        Cache.Release(message);
        ReleaseRecord(message);
        Stand(message, segment, record, located);
        if (body is not null)
        {
            Cache.KeepIfRoom(message, body);
        }
    }

    /// <summary>The record that holds the message no longer matters to it.</summary>
    public void ReleaseRecord(StoredMessage message)
    {
        if (message.Shared is null || message.Shared.RemoveUser())
        {
            ReleaseLive(message.Segment!, message.RecordLength);
        }
    }

    private static void Stand(StoredMessage message, Segment segment, SharedRecord? record, in LocatedRecord located)
    {
        if (record is null)
        {
            message.StandIn(segment, located.RecordOffset, located.RecordLength);
        }
        else
        {
            record.Segment = segment;
            message.StandIn(record, located.RecordOffset, located.RecordLength);
        }

        HoldRecord(message);
    }

    /// <summary>Bytes of the segment no longer matter.</summary>
    public void ReleaseLive(Segment segment, long bytes)
    {
        var live = segment.AddLive(-bytes);
        var wasMostlyDead = LogCleaner.IsMostlyDead(segment, live + bytes);
        if (segment.Sealed && (live == 0 || (!wasMostlyDead && LogCleaner.IsMostlyDead(segment, live))))
        {
            Cleaner?.Wake();
        }
    }
}
