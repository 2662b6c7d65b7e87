using Microsoft.Extensions.Logging;
using PushQueue.Queues;
using PushQueue.Storage.Embedded.Log;

namespace PushQueue.Storage.Embedded;

/// <summary>
/// Replays the log at start: record by record, segment by segment, into queues that nobody else knows yet. A torn tail (the last write of a
/// crash) is cut; any other damage is reported and stepped over.
/// </summary>
internal sealed partial class LogRecovery(EmbeddedStoreOptions options, StoreServices services, string bootId, ILogger logger)
{
    private readonly Dictionary<long, QueueReplay> _queues = [];
    private readonly HashSet<long> _mentioned = [];
    private readonly HashSet<long> _nameless = [];
    private readonly HashSet<long> _forgotten = [];
    private readonly HashSet<int> _dropped = [];
    private readonly List<Segment> _segments = [];
    private readonly List<(StoredMessage Message, long Queue, long Offset, int Length)> _batch = [];
    private HashSet<int>? _expected;
    private long _batchCount;
    private bool _batchDamaged;
    private bool _inBatch;
    private bool _inSnapshot;
    private int _firstAfterSnapshot;
    private int _snapshotStartedIn;
    private int _lastDamaged = -1;
    private SegmentHeader _lastHeader;
    private bool _stoppedClean = true;

    /// <summary>The queues that the log holds, once <see cref="Run"/> has returned.</summary>
    public IReadOnlyList<EmbeddedQueue> Queues { get; private set; } = [];

    public IReadOnlyList<Segment> Segments => _segments;

    public long NextQueueNumber { get; private set; } = 1;

    public int NextSegmentNumber => _segments.Count == 0 ? 1 : _segments[^1].Number + 1;

    /// <exception cref="StoreOpenException">The log is of a newer version, or cannot be read at all.</exception>
    public void Run()
    {
        var numbers = FindSegments();
        for (var i = 0; i < numbers.Count; i++)
        {
            ReadSegment(numbers[i], isLast: i == numbers.Count - 1);
        }

        ReportMissing(numbers);
        DeleteDropped();
        SettleNameless();
        SettleNamesakes();
        var newEpochs = BroadcastsAreDoubtful() || File.Exists(Path.Combine(options.DataDirectory, StoreArchive.RestoredMark));
        if (newEpochs && _queues.Count > 0)
        {
            Damage.ReportNewEpochs(logger);
        }

        Queues = [.. _queues.Values.Select(queue => queue.Build(newEpochs))];
        _queues.Clear();
    }

    private List<int> FindSegments()
    {
        var numbers = new List<int>();
        foreach (var path in Directory.EnumerateFiles(options.DataDirectory, "segment-*.log"))
        {
            var name = Path.GetFileNameWithoutExtension(path.AsSpan());
            if (int.TryParse(name["segment-".Length..], System.Globalization.NumberStyles.None, provider: null, out var number))
            {
                numbers.Add(number);
            }
        }

        numbers.Sort();
        return numbers;
    }

    private void ReadSegment(int number, bool isLast)
    {
        var segment = new Segment(number, Path.Combine(options.DataDirectory, Segment.FileName(number)));
        segment.OpenFile(isLast ? FileAccess.ReadWrite : FileAccess.Read);
        _segments.Add(segment);
        _stoppedClean = false;
        segment.Sealed = true;
        var scanner = new SegmentScanner(segment, mayBeTorn: isLast);
        if (scanner.TryReadHeader(out var header))
        {
            ReadHeader(header, segment);
        }
        else if (!isLast || segment.Length > 2 * SegmentHeader.BeginsBefore)
        {
            // No crash leaves that. What a message body holds could pass for records here, so nothing is read; the file stays for a human.
            ReportDamage(segment, 0, segment.Length);
            segment.AddLive(segment.Length);
            return;
        }

        while (scanner.Next())
        {
            if (scanner.Skipped.To > 0)
            {
                ReportDamage(segment, scanner.Skipped.From, scanner.Skipped.To);
            }

            try
            {
                Apply(scanner, segment);
            }
            catch (Exception exception) when (exception is InvalidDataException or ArgumentException)
            {
                ReportDamage(segment, scanner.RecordOffset, scanner.RecordOffset + scanner.RecordLength);
            }
        }

        EndOfSegment(segment, scanner.End, isLast);
        LeaveBatch(segment);
    }

    private void EndOfSegment(Segment segment, long end, bool isLast)
    {
        if (end == segment.Length)
        {
            return;
        }

        if (!isLast)
        {
            ReportDamage(segment, end, segment.Length);
            return;
        }

        if (!RoomAhead.IsAllThatFollows(segment, end))
        {
            Damage.ReportTornTail(logger, segment.Path, end, segment.Length - end);
        }

        // On disk before the next segment is: only the last one may end in what is no record.
        RandomAccess.SetLength(segment.Handle, end);
        RandomAccess.FlushToDisk(segment.Handle);
        segment.Length = end;
    }

    private void ReportDamage(Segment segment, long from, long to)
    {
        _lastDamaged = segment.Number;
        _inSnapshot = false;
        _batchDamaged = _inBatch;
        Damage.Report(logger, segment.Path, from, to);
    }

    private void Apply(SegmentScanner scanner, Segment segment)
    {
        var reader = new SpanReader(scanner.Payload);
        _stoppedClean = scanner.Type == RecordType.CleanStop;
        if (_inBatch && scanner.Type is not (RecordType.Message or RecordType.BatchEnd))
        {
            LeaveBatch(segment);
        }

        switch (scanner.Type)
        {
            case RecordType.SegmentHeader:
                ReadHeader(SegmentHeader.Read(scanner.Payload), segment);
                break;
            case RecordType.Message:
                ReadMessage(scanner, segment);
                break;
            case RecordType.BatchStart:
                BeginBatch(reader.Number());
                break;
            case RecordType.BatchEnd:
                ReadBatchEnd(reader.Number(), segment);
                break;
            case RecordType.Removed:
                ReadRemoved(ref reader, segment);
                break;
            case RecordType.Leased:
                ReadLeased(ref reader, segment);
                break;
            case RecordType.Changed:
                ReadChanged(ref reader, segment);
                break;
            case RecordType.Broadcast:
                ReadBroadcast(ref reader, segment);
                break;
            case RecordType.Moved:
                ReadMoved(ref reader, segment);
                break;
            case RecordType.QueueState:
                ReadQueueState(QueueStateRecord.Read(scanner.Payload));
                break;
            case RecordType.QueueDeleted:
                Forget(reader.Number());
                break;
            case RecordType.SnapshotStart:
                ReadSnapshotStart(ref reader, segment);
                break;
            case RecordType.SnapshotEnd:
                EndSnapshot();
                break;
            case RecordType.SegmentDropped:
                _dropped.Add((int)reader.Number());
                break;
            case RecordType.KnownId:
                ReadKnownId(ref reader, segment);
                break;
        }
    }

    private void ReportMissing(List<int> numbers)
    {
        if (numbers.Count == 0)
        {
            return;
        }

        var expected = _expected ?? [];
        expected.UnionWith(Enumerable.Range(Math.Max(1, _snapshotStartedIn), numbers[^1] - Math.Max(1, _snapshotStartedIn) + 1));
        foreach (var number in expected.Except(numbers).Except(_dropped).Order())
        {
            _lastDamaged = Math.Max(_lastDamaged, number);
            Damage.ReportMissing(logger, Path.Combine(options.DataDirectory, Segment.FileName(number)));
        }
    }

    /// <summary>Damage took the records that named these queues: their messages are served under a name that says so.</summary>
    private void SettleNameless()
    {
        foreach (var number in _nameless.ToList())
        {
            if (_queues[number].HasMessages)
            {
                Damage.ReportNameless(logger, _queues[number].Name);
            }
            else
            {
                Forget(number);
            }
        }
    }

    /// <summary>
    /// Damage took the record that deleted a queue whose name was used again. The newer one is what clients mean by the name; the older
    /// one's messages are served under a name that says so, for somebody to look at.
    /// </summary>
    private void SettleNamesakes()
    {
        var taken = new HashSet<QueueName>();
        var losers = new List<QueueReplay>();
        foreach (var queue in _queues.Values.OrderByDescending(static queue => queue.Number))
        {
            if (!taken.Add(queue.Name))
            {
                losers.Add(queue);
            }
        }

        foreach (var queue in losers)
        {
            var name = queue.Name;
            var number = queue.Number;
            while (!taken.Add(NameOfFound(number)))
            {
                number = NextQueueNumber++;
            }

            queue.Name = NameOfFound(number);
            Damage.ReportNamesake(logger, name, queue.Name);
        }
    }

    /// <summary>A crash came between recording a drop and deleting the file.</summary>
    private void DeleteDropped()
    {
        foreach (var segment in _segments.Where(segment => _dropped.Contains(segment.Number)).ToList())
        {
            foreach (var queue in _queues.Values)
            {
                queue.Discard(segment);
            }

            _segments.Remove(segment);
            segment.Close();
            File.Delete(segment.Path);
        }
    }

    /// <summary>Whether broadcasts may have been seen whose record is not in the log.</summary>
    private bool BroadcastsAreDoubtful()
    {
        var lostUnflushed = !_stoppedClean && _lastHeader is { Version: > 0, Durability: not DurabilityMode.Synced } && _lastHeader.BootId != bootId;
        return lostUnflushed || _lastDamaged >= _firstAfterSnapshot;
    }
}
