using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using PushQueue.Storage.Embedded.Records;
using PushQueue.Storage.Log;

namespace PushQueue.Storage.Embedded;

/// <summary>
/// Gives disk space back, on a thread of its own: writes a snapshot of all queue states into each new segment, deletes segments with
/// nothing live whose records no older segment needs, and carries the last live messages of a mostly dead segment forward. Puts go on
/// meanwhile, but for the look through one queue's messages for those of the segment, which holds that queue's lock, and the longer the
/// more messages it has.
/// </summary>
internal sealed partial class LogCleaner : IDisposable
{
    private const int CarryBytesBeforeWait = 1024 * 1024;

    private readonly object _gate = new();
    private readonly StoreServices _services;
    private readonly Func<IReadOnlyList<EmbeddedQueue>> _queues;
    private readonly Func<Action, IReadOnlyList<EmbeddedQueue>> _queuesAtSnapshot;
    private readonly Func<long> _nextQueueNumber;
    private readonly ILogger _logger;
    private readonly Thread _thread;
    private readonly HashSet<int> _damaged = [];
    private bool _awake;
    private bool _snapshotWanted;
    private bool _stopping;
    private int _snapshotSegment;

    /// <param name="services">The services that the store's parts share.</param>
    /// <param name="queues">All queues.</param>
    /// <param name="queuesAtSnapshot">Begins a snapshot and returns all queues, while none can be made between the two.</param>
    /// <param name="nextQueueNumber">The number of the next queue.</param>
    /// <param name="logger">For the operator.</param>
    public LogCleaner(
        StoreServices services,
        Func<IReadOnlyList<EmbeddedQueue>> queues,
        Func<Action, IReadOnlyList<EmbeddedQueue>> queuesAtSnapshot,
        Func<long> nextQueueNumber,
        ILogger logger)
    {
        _services = services;
        _queues = queues;
        _queuesAtSnapshot = queuesAtSnapshot;
        _nextQueueNumber = nextQueueNumber;
        _logger = logger;
        _thread = new Thread(Run) { IsBackground = true, Name = "PushQueue log cleaner" };
    }

    /// <summary>Less than a quarter of the segment matters: copying that is cheaper than keeping the rest.</summary>
    public static bool IsMostlyDead(Segment segment, long liveBytes) => liveBytes * 4 < segment.Length;

    public void Start() => _thread.Start();

    public void Wake()
    {
        lock (_gate)
        {
            _awake = true;
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>A segment has begun; it wants a snapshot, so that older ones can go.</summary>
    public void WantSnapshot()
    {
        lock (_gate)
        {
            _snapshotWanted = true;
        }

        Wake();
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _stopping = true;
            Monitor.Pulse(_gate);
        }

        if (_thread.ThreadState != ThreadState.Unstarted)
        {
            _thread.Join();
        }
    }

    private void Run()
    {
        while (WaitForWork(out var snapshot))
        {
            try
            {
                Clean(snapshot);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                LogCleaningFailed(_logger, exception);
            }
            catch (Exception exception)
            {
                // A border: the log grows until the next segment wakes this thread, and all queues are served meanwhile.
                _services.CleanerFaults.Report(exception);
            }
        }
    }

    private bool WaitForWork(out bool snapshot)
    {
        lock (_gate)
        {
            while (!_awake && !_stopping)
            {
                Monitor.Wait(_gate);
            }

            _awake = false;
            snapshot = _snapshotWanted;
            _snapshotWanted = false;
            return !_stopping;
        }
    }

    private void Clean(bool snapshot)
    {
        if (snapshot)
        {
            WriteSnapshot();
        }

        DropDead();
        foreach (var segment in _services.Log.Segments())
        {
            if (Stopping || _services.Log.DiskFull)
            {
                return;
            }

            if (MayGo(segment) && segment.LiveBytes > 0 && IsMostlyDead(segment, segment.LiveBytes) && !_damaged.Contains(segment.Number))
            {
                CarryForward(segment);
                DropDead();
            }
        }
    }

    private bool Stopping
    {
        get
        {
            lock (_gate)
            {
                return _stopping;
            }
        }
    }

    private bool MayGo(Segment segment) => segment.Sealed && segment.Number < _snapshotSegment;

    private void WriteSnapshot()
    {
        // A queue whose first record stands before the start but that the list lacks would be taken for deleted at the next replay.
        var segment = 0;
        var queues = _queuesAtSnapshot(() =>
        {
            using var appender = _services.Log.BeginAppend();
            segment = appender.Batch.Segment.Number;
            appender.SnapshotStart(_services.Log.SegmentsLocked(), _services.Log.Missing, _nextQueueNumber());
        });
        foreach (var queue in queues)
        {
            if (!_services.CleanerFaults.Try(queue.Name, queue, static queue => queue.RecordState()))
            {
                // A snapshot without this queue would say that it was deleted: this one gets no end, older segments stay, and the next time
                // that something wakes this thread another is tried.
                lock (_gate)
                {
                    _snapshotWanted = true;
                }

                return;
            }
        }

        LogBatch batch;
        using (var appender = _services.Log.BeginAppend())
        {
            appender.SnapshotEnd();
            batch = appender.Batch;
        }

        var outcome = Commit(batch);
        _snapshotSegment = outcome == CommitOutcome.Broken ? _snapshotSegment : segment;
        if (outcome == CommitOutcome.Committed)
        {
            StoreArchive.ForgetRestore(_services.Log.Directory);
        }
    }

    /// <summary>Deleting one segment may free the next, whose records only spoke of the first.</summary>
    private void DropDead()
    {
        var dropped = true;
        while (dropped && !Stopping)
        {
            dropped = false;
            foreach (var segment in _services.Log.Segments())
            {
                if (MayGo(segment) && segment.LiveBytes == 0 && !segment.RefersToAny(_services.Log.SegmentNumbers()))
                {
                    dropped |= Drop(segment);
                }
            }
        }
    }

    private bool Drop(Segment segment)
    {
        LogBatch batch;
        using (var appender = _services.Log.BeginAppend())
        {
            appender.SegmentDropped(segment);
            batch = appender.Batch;
        }

        // On a disk without any room the record is written first into the room that the drop gives.
        if (Commit(batch) == CommitOutcome.Broken)
        {
            return false;
        }

        _services.Log.Drop(segment);
        return true;
    }

    private void CarryForward(Segment segment)
    {
        var carry = new CarryRun(segment, this);
        var shared = new Dictionary<SharedRecord, List<MessagePart>>();
        foreach (var queue in _queues())
        {
            try
            {
                foreach (var message in queue.MessagesIn(segment))
                {
                    if (message.Shared is { } record)
                    {
                        (CollectionsMarshal.GetValueRefOrAddDefault(shared, record, out _) ??= []).Add(new(queue, queue.Number, message));
                    }
                    else
                    {
                        carry.Add(message, body => queue.Carry(message, segment, body));
                    }
                }

                queue.CarryKnownIds(segment);
            }
            catch (Exception e) when (e is not (IOException or UnauthorizedAccessException))
            {
                // The segment stays as long as it holds messages of this queue; those of the others still go.
                _services.CleanerFaults.Report(queue.Name, e);
            }
        }

        foreach (var parts in shared.Values)
        {
            try
            {
                carry.Add(parts[0].Message, body => QueueCarry.CarryTogether(parts, segment, body));
            }
            catch (Exception e) when (e is not (IOException or UnauthorizedAccessException))
            {
                _services.CleanerFaults.Report(((EmbeddedQueue)parts[0].Owner).Name, e);
            }
        }

        carry.Finish();
        LogCarried(_logger, carry.Records, segment.Number);
    }

    /// <summary>Carries the records of one segment forward, and waits for the disk now and then.</summary>
    private sealed class CarryRun(Segment segment, LogCleaner cleaner)
    {
        private LogBatch? _last;
        private int _unsyncedBytes;

        public int Records { get; private set; }

        public void Add(StoredMessage message, Func<byte[], LogBatch?> carry)
        {
            if (cleaner.ReadBody(segment, message) is { } body && carry(body) is { } batch)
            {
                _last = batch;
                Records++;
                _unsyncedBytes += body.Length;
            }

            if (_unsyncedBytes > CarryBytesBeforeWait)
            {
                _unsyncedBytes = 0;
                Commit(_last!);
            }
        }

        public void Finish()
        {
            if (_last is not null)
            {
                Commit(_last);
            }
        }
    }

    private byte[]? ReadBody(Segment segment, StoredMessage message)
    {
        var record = new byte[message.RecordLength];
        var read = RandomAccess.Read(segment.Handle, record, message.RecordOffset);
        if (read == record.Length && RecordHeader.ChecksumMatches(record, segment.Salt))
        {
            return record[^message.BodyLength..];
        }

        // The segment stays, so that nothing that can still be read is lost.
        _damaged.Add(segment.Number);
        _services.Damage.Unreadable(segment.Path, message.RecordOffset, message.RecordOffset + message.RecordLength);
        return null;
    }

    private static CommitOutcome Commit(LogBatch batch) =>
        // This thread has nothing else to do; it does not belong to the pool.
        batch.Synced.GetAwaiter().GetResult();

    [LoggerMessage(1020, LogLevel.Debug, "Carried {Messages} live messages forward out of segment {Segment}")]
    private static partial void LogCarried(ILogger logger, int messages, int segment);

    [LoggerMessage(1021, LogLevel.Error, "Cleaning the log failed; it is retried with the next segment")]
    private static partial void LogCleaningFailed(ILogger logger, Exception exception);
}
