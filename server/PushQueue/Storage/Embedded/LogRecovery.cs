using Microsoft.Extensions.Logging;
using PushQueue.Queues;
using PushQueue.Storage.Embedded.Records;
using PushQueue.Storage.Log;

namespace PushQueue.Storage.Embedded;

/// <summary>
/// Replays the log at start: record by record, segment by segment, into queues that nobody else knows yet. A torn tail (the last write of a
/// crash) is cut; any other damage is reported and stepped over.
/// </summary>
internal sealed partial class LogRecovery
{
    private readonly EmbeddedStoreOptions _options;
    private readonly StoreServices _services;
    private readonly string _bootId;
    private readonly StoreDamageLog _damage;
    private readonly LogIdentity _identity;
    private readonly SegmentFolder _folder;
    private readonly SegmentLinks _links;
    private readonly bool _folderWasInUse;
    private readonly Dictionary<long, QueueReplay> _queues = [];
    private readonly HashSet<long> _mentioned = [];
    private readonly HashSet<long> _nameless = [];
    private readonly HashSet<long> _forgotten = [];
    private readonly List<Segment> _segments = [];
    private readonly List<SegmentExtent> _missing = [];
    private readonly List<(StoredMessage Message, long Queue, SharedRecord? Record, long Offset, int Length)> _batch = [];
    private readonly List<(StoredMessage Message, long Queue)> _copies = [];
    private (long Queue, long Source, long Offset, long Sequence) _batchEarlier;
    private long _batchRead;
    private long _batchCount;
    private long _batchOffset;
    private bool _batchDamaged;
    private bool _inBatch;
    private bool _inSnapshot;
    private int _firstAfterSnapshot;
    private int _lastDamaged = -1;
    private SegmentHeader _lastHeader;
    private bool _stoppedClean = true;

    public LogRecovery(EmbeddedStoreOptions options, StoreServices services, string bootId, ILogger logger)
    {
        _options = options;
        _services = services;
        _bootId = bootId;
        _damage = services.Damage;
        _identity = new LogIdentity(options.DataDirectory, logger);
        _folderWasInUse = _identity.Store is not null;
        _folder = new SegmentFolder(options.DataDirectory, _identity, _damage);
        _links = new SegmentLinks(options.DataDirectory, _folder, _identity.StoppedAt);
    }

    /// <summary>The queues that the log holds, once <see cref="Run"/> has returned.</summary>
    public IReadOnlyList<EmbeddedQueue> Queues { get; private set; } = [];

    public long NextQueueNumber { get; private set; } = 1;

    public RecoveredLog Log => new(_segments, _missing, NextSegmentNumber, _identity, _bootId);

    private int NextSegmentNumber { get; set; } = 1;

    /// <exception cref="StoreOpenException">The log is of a newer version, or cannot be read at all.</exception>
    public void Run()
    {
        _folder.Read();
        for (var i = 0; i < _folder.Files.Count; i++)
        {
            ReadSegment(_folder.Files[i], _links.ExpectedOf(i), isLast: i == _folder.Files.Count - 1);
        }

        ReportShort();
        ReportMissing();
        ReportUnreadable();
        DeleteDropped();
        LeaveSuperseded();
        SettleNameless();
        SettleNamesakes();
        var newEpochs = BroadcastsAreDoubtful() || File.Exists(Path.Combine(_options.DataDirectory, StoreArchive.RestoredMark));
        if (newEpochs && _queues.Count > 0)
        {
            _damage.NewEpochs();
        }

        Queues = [.. _queues.Values.Select(queue => queue.Build(newEpochs, _stoppedClean))];
        _queues.Clear();
    }

    private void ReadSegment(SegmentFile file, SegmentExtent? expected, bool isLast)
    {
        var segment = file.Segment;
        _segments.Add(segment);
        _stoppedClean = false;
        _lastHeader = file.Header;
        _links.ForgetNext();
        NextSegmentNumber = segment.Number + 1;
        var scanner = new SegmentScanner(segment, mayBeTorn: isLast && expected is null);
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

        if (isLast && expected is null)
        {
            EndOfLog(segment, scanner.End);
        }
        else
        {
            EndOfSegment(file, scanner.End, expected);
        }

        LeaveBatch(segment);
        if (isLast && scanner.End < segment.Length)
        {
            CutTo(segment, scanner.End);
        }
    }

    private void EndOfSegment(SegmentFile file, long end, SegmentExtent? expected)
    {
        var segment = file.Segment;
        if (expected is { } known && known.Length > segment.Length)
        {
            NoteDamage(segment.Number);
            _damage.Cut(segment.Path, end, known.Length, Math.Max(0, known.Messages - segment.Messages));
            return;
        }

        // The start after a crash cuts a batch that was never written to its end, so what ends in a batch now is damaged. Old versions did
        // not cut.
        var endsInBatch = _inBatch && !_batchDamaged && file.Header.Version >= SegmentHeader.FirstChainedVersion;
        if (end < segment.Length || endsInBatch)
        {
            ReportDamage(segment, end, segment.Length);
        }
    }

    /// <summary>An incomplete record or batch here is the last write before a crash: nobody got an answer to it.</summary>
    private void EndOfLog(Segment segment, long end)
    {
        var tornAt = _inBatch && !_batchDamaged ? _batchOffset : end;
        if (tornAt == segment.Length)
        {
            return;
        }

        if (tornAt < end || !RoomAhead.IsAllThatFollows(segment, end))
        {
            _damage.TornTail(segment.Path, tornAt, segment.Length - tornAt);
        }

        CutTo(segment, tornAt);
    }

    /// <summary>On disk before the next segment is: only the last segment may end in an incomplete record.</summary>
    private static void CutTo(Segment segment, long end)
    {
        RandomAccess.SetLength(segment.Handle, end);
        RandomAccess.FlushToDisk(segment.Handle);
        segment.Length = end;
    }

    private void ReportDamage(Segment segment, long from, long to)
    {
        NoteDamage(segment.Number);
        _damage.Unreadable(segment.Path, from, to);
    }

    private void NoteDamage(int segment)
    {
        _lastDamaged = Math.Max(_lastDamaged, segment);
        _inSnapshot = false;
        _batchDamaged = _inBatch;
    }

    private void Apply(SegmentScanner scanner, Segment segment)
    {
        var reader = new SpanReader(scanner.Payload);
        _stoppedClean = (RecordType)scanner.Type == RecordType.CleanStop;
        if (_inBatch && (RecordType)scanner.Type is not (RecordType.Message or RecordType.Copies or RecordType.BatchEnd))
        {
            LeaveBatch(segment);
        }

        switch ((RecordType)scanner.Type)
        {
            case RecordType.Message:
                ReadMessage(scanner, segment);
                break;
            case RecordType.Copies:
                ReadCopies(scanner, segment);
                break;
            case RecordType.BatchStart:
                BeginBatch(ref reader, scanner.RecordOffset);
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
            case RecordType.Earlier:
                ReadEarlier(ref reader);
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
                _links.ReadDropped(ref reader);
                break;
            case RecordType.SegmentEnd:
                segment.EndRecordAt = scanner.RecordOffset;
                _links.ReadNext(ref reader);
                break;
            case RecordType.KnownId:
                ReadKnownId(ref reader, segment);
                break;
        }
    }

    /// <summary>The latest snapshot may know of an end that no next segment knows of.</summary>
    private void ReportShort()
    {
        foreach (var (segment, index) in _segments.Select(static (segment, index) => (segment, index)))
        {
            var known = _links.ExpectedOf(index)?.Length > segment.Length;
            if (!known && _links.ListedOf(segment) is { } listed && listed.Length > segment.Length)
            {
                NoteDamage(segment.Number);
                _damage.Cut(segment.Path, segment.Length, listed.Length, Math.Max(0, listed.Messages - segment.Messages));
            }
        }
    }

    private void ReportMissing()
    {
        foreach (var run in _links.FindMissing(_folderWasInUse))
        {
            NoteDamage(run.Last.Number);
            _missing.Add(run.Last);
            _damage.Missing(_links.PathOf(run.First), run.Count, run.Last.Length, run.Last.Messages);
            NextSegmentNumber = Math.Max(NextSegmentNumber, run.Last.Number + 1);
        }
    }

    /// <summary>
    /// Without a header nothing in a segment can be trusted: bytes of a message body could pass for records. Such a file stays for a human
    /// to look at. Only a file without content that nothing in the log names is the first write of a crash.
    /// </summary>
    private void ReportUnreadable()
    {
        foreach (var segment in _folder.Unreadable)
        {
            var isNamed = _links.IsNamed(segment.Number);
            if (segment.Length > 0 && (isNamed || !IsEmpty(segment)))
            {
                ReportDamage(segment, 0, segment.Length);
            }
            else if (!isNamed && segment.Number >= NextSegmentNumber)
            {
                _damage.TornTail(segment.Path, 0, segment.Length);
                File.Delete(segment.Path);
            }
            else if (!isNamed)
            {
                _damage.LeftAlone(segment.Path, "it is empty");
            }
        }
    }

    private static bool IsEmpty(Segment segment)
    {
        segment.OpenFile(FileAccess.Read);
        var isEmpty = RoomAhead.IsAllThatFollows(segment, 0);
        segment.Close();
        return isEmpty;
    }

    /// <summary>Damage took the records that named these queues: their messages are served under a name that says so.</summary>
    private void SettleNameless()
    {
        foreach (var number in _nameless.ToList())
        {
            if (_queues[number].HasMessages)
            {
                _damage.Nameless(_queues[number].Name);
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
            _damage.Namesake(name, queue.Name);
        }
    }

    /// <summary>A crash came between recording a drop and deleting the file.</summary>
    private void DeleteDropped()
    {
        foreach (var segment in _segments.Where(_links.IsDropped).ToList())
        {
            Discard(segment);
            File.Delete(segment.Path);
            _damage.Deleted(segment.Path);
        }
    }

    /// <summary>Old copies of segments that the log dropped long ago hold only messages that are finished or stand elsewhere.</summary>
    private void LeaveSuperseded()
    {
        foreach (var segment in _segments.ToList())
        {
            if (_links.IsSuperseded(segment))
            {
                Discard(segment);
                _damage.LeftAlone(segment.Path, "the log dropped this segment earlier");
            }
            else if (_links.CameBack(segment))
            {
                _damage.CameBack(segment.Path);
            }
        }
    }

    private void Discard(Segment segment)
    {
        foreach (var queue in _queues.Values)
        {
            queue.Discard(segment);
        }

        _segments.Remove(segment);
        segment.Close();
    }

    /// <summary>Whether broadcasts may have been seen whose record is not in the log.</summary>
    private bool BroadcastsAreDoubtful()
    {
        var lostUnflushed = !_stoppedClean && _lastHeader is { Version: > 0, Durability: not DurabilityMode.Synced }
            && _lastHeader.BootId != _bootId;
        return lostUnflushed || _lastDamaged >= _firstAfterSnapshot;
    }
}
