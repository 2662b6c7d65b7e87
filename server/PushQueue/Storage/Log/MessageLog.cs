using Microsoft.Extensions.Logging;

namespace PushQueue.Storage.Log;

/// <summary>
/// The append-only log: collects records in the open batch, and one thread of its own writes batch after batch to the last segment. While
/// it writes and flushes one, the next gathers, so commits group themselves without a delay. Any thread appends (through
/// <see cref="BeginAppend"/>, under the log's lock, memory only). Only one thread at a time writes: the log's own, or, where nobody
/// waits for a
/// flush, the thread that appended (<see cref="WriteNow"/>), which saves two changes of threads. The log knows nothing of the records
/// but their types, never decides what is
/// live, and never calls anybody with its lock held.
/// </summary>
internal sealed class MessageLog : IDisposable
{
    /// <summary>A longer batch goes to the log's thread: it is many messages' wait, not one's.</summary>
    private const int WrittenByAnyoneMax = 64 * 1024;

    private readonly object _gate = new();
    private readonly LogOptions _options;
    private readonly SortedDictionary<int, Segment> _segments;
    private readonly SegmentChain _chain;
    private readonly LogWriter _writer;
    private readonly Thread _thread;
    private LogBatch _open;
    private bool _threadWaits;
    private bool _threadWantsToWrite;
    private bool _writing;
    private bool _stopping;

    /// <param name="options">Where and how.</param>
    /// <param name="found">The log as recovery found it.</param>
    /// <param name="logger">For the operator.</param>
    public MessageLog(LogOptions options, RecoveredLog found, ILogger logger)
    {
        _options = options;
        _segments = new SortedDictionary<int, Segment>(found.Segments.ToDictionary(segment => segment.Number));
        Missing = found.Missing;
        _chain = new SegmentChain(options, found.Identity, found.BootId, found.Segments.LastOrDefault());
        _writer = new LogWriter(options, this, _chain, logger);
        _open = BeginSegment(found.NextSegmentNumber);
        _thread = new Thread(Run) { IsBackground = true, Name = "PushQueue log" };
    }

    /// <summary>The folder that holds the log.</summary>
    public string Directory => _options.Directory;

    /// <summary>Segments that recovery found missing. They belong to the log should an operator bring them back.</summary>
    public IReadOnlyCollection<SegmentExtent> Missing { get; }

    /// <summary>Told on the log's thread that a new segment has begun.</summary>
    public Action? SegmentBegun { get; set; }

    public bool DiskFull => _writer.DiskFull;

    /// <summary>Why the log takes no more records; null while it does.</summary>
    public string? BrokenReason => _writer.BrokenReason;

    public void Start() => _thread.Start();

    /// <summary>Takes the log's lock until the appender is disposed.</summary>
    /// <param name="writesItself">The caller promises to call <see cref="WriteNow"/> as soon as it holds no lock; nobody else is
    /// woken.</param>
    public LogAppender BeginAppend(bool writesItself = false)
    {
        Monitor.Enter(_gate);
        return new LogAppender(this, _open, writesItself);
    }

    /// <summary>Called by the appender only.</summary>
    public void EndAppend(bool writesItself)
    {
        if (!writesItself || !MayBeWrittenByAnyone(_open))
        {
            WakeThreadLocked();
        }

        Monitor.Exit(_gate);
    }

    /// <summary>
    /// Writes the batch on the caller's thread, if it is still the open one and nobody writes; else it is in hand already, or the log's
    /// thread takes it up. Called without any lock. Returns at once where a flush is needed: those are the log's thread's own.
    /// </summary>
    public void WriteNow(LogBatch batch)
    {
        // A batch never loses its need for a flush, and the thread that appended it has woken the log's thread.
        if (Volatile.Read(ref _open) != batch || _writer.Flushes(batch))
        {
            return;
        }

        lock (_gate)
        {
            if (_open != batch || _writing || _stopping)
            {
                return;
            }

            if (!MayBeWrittenByAnyone(batch))
            {
                WakeThreadLocked();
                return;
            }

            _writing = true;
            _ = TakeOpenLocked();
        }

        var wasDirty = _writer.Dirty;
        _writer.Commit(batch, mayFlush: false);

        // Records that were appended meanwhile are for the log's thread, and so are the flush that is due in a while and the next check
        // for room on a full disk.
        EndWriting(wakeThread: !wasDirty || !_writer.IsPlain);
    }

    /// <summary>Whether the batch may be written by another thread than the log's own: nobody waits for a flush, and nothing is
    /// unusual.</summary>
    private bool MayBeWrittenByAnyone(LogBatch batch) =>
        batch is { BeginsSegment: false, Length: <= WrittenByAnyoneMax }
        && !_writer.Flushes(batch)
        && batch.Start + batch.Length < _options.SegmentBytes
        && _writer.IsPlain;

    private void EndWriting(bool wakeThread)
    {
        lock (_gate)
        {
            _writing = false;
            if (wakeThread || _threadWantsToWrite || _open.Length > 0 || _stopping)
            {
                WakeThreadLocked();
            }
        }
    }

    private void WakeThreadLocked()
    {
        if (_threadWaits)
        {
            _threadWaits = false;
            Monitor.Pulse(_gate);
        }
    }

    public IReadOnlyList<Segment> Segments()
    {
        lock (_gate)
        {
            return [.. _segments.Values];
        }
    }

    /// <summary>All segments, each pinned: none closes before its <see cref="Segment.Unpin"/>.</summary>
    public IReadOnlyList<Segment> PinAll()
    {
        lock (_gate)
        {
            foreach (var segment in _segments.Values)
            {
                segment.Pin();
            }

            return [.. _segments.Values];
        }
    }

    /// <summary>For a caller that holds an appender.</summary>
    public IReadOnlyCollection<Segment> SegmentsLocked() => _segments.Values;

    public IReadOnlySet<int> SegmentNumbers()
    {
        lock (_gate)
        {
            return _segments.Keys.ToHashSet();
        }
    }

    /// <summary>Forgets a segment and deletes its file. Its drop has been recorded and flushed.</summary>
    public void Drop(Segment segment)
    {
        lock (_gate)
        {
            _segments.Remove(segment.Number);
        }

        File.Delete(segment.Path);
        segment.Drop();
    }

    /// <summary>Writes what is open and ends the thread. Nothing may be appended afterwards.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _stopping = true;
            Monitor.PulseAll(_gate);
        }

        if (_thread.ThreadState != ThreadState.Unstarted)
        {
            _thread.Join();
        }

        foreach (var segment in _segments.Values)
        {
            segment.Close();
        }
    }

    /// <summary>
    /// The batch that was being written kept only some of its bytes, or goes to another segment: what gathers behind it moves along.
    /// </summary>
    /// <returns>The headers of the segment begun; null where none was.</returns>
    public LogBatch? Rebase(Segment segment, long end, bool beginSegment)
    {
        lock (_gate)
        {
            if (_open.Segment != segment)
            {
                return null;
            }

            if (!beginSegment)
            {
                _open.MoveTo(segment, end);
                return null;
            }

            var headers = BeginSegment(segment.Number + 1);
            headers.Segment.InheritReferences(segment);
            _open.MoveTo(headers.Segment, headers.Length + end);
            return headers;
        }
    }

    private void Run()
    {
        var stop = false;
        while (!stop)
        {
            // Where cores are short, those who are about to append go first, and one flush serves more of them.
            Thread.Yield();
            var batch = BeginWriting(out stop);
            if (batch is null)
            {
                _writer.Idle(stop);
            }
            else
            {
                _writer.Commit(batch, mayFlush: true);
                if (batch.BeginsSegment)
                {
                    SegmentBegun?.Invoke();
                }
            }

            EndWriting(wakeThread: false);
        }

        _writer.Finish();
    }

    /// <summary>Waits for something to write and for the right to write it. Null where only time passed, or at the end.</summary>
    private LogBatch? BeginWriting(out bool stop)
    {
        lock (_gate)
        {
            if (_open.Length == 0 && !_stopping)
            {
                WaitLocked(_writer.IdleTimeoutMs());
            }

            _threadWantsToWrite = true;
            while (_writing)
            {
                WaitLocked(Timeout.Infinite);
            }

            _threadWantsToWrite = false;
            _writing = true;
            stop = _stopping && _open.Length == 0;
            return _open.Length == 0 && !_writer.OwesRecords ? null : TakeOpenLocked();
        }
    }

    private void WaitLocked(int timeoutMs)
    {
        _threadWaits = true;
        Monitor.Wait(_gate, timeoutMs);
        _threadWaits = false;
    }

    private LogBatch TakeOpenLocked()
    {
        var batch = _open;
        var end = batch.Start + batch.Length;
        _open = end >= _options.SegmentBytes ? BeginSegment(batch.Segment.Number + 1) : new LogBatch(batch.Segment, end);
        return batch;
    }

    private LogBatch BeginSegment(int number)
    {
        // A file that does not belong to the log keeps its name. One look per segment is the only I/O under the lock.
        while (Path.Exists(PathOf(number)) || new FileInfo(PathOf(number)).LinkTarget is not null)
        {
            number++;
        }

        var batch = new LogBatch(NewSegmentLocked(number), 0) { BeginsSegment = true };
        new LogAppender(this, batch).SegmentHeaders(_chain.HeaderOf(batch.Segment));
        return batch;
    }

    private string PathOf(int number) => Path.Combine(_options.Directory, Segment.FileName(number));

    private Segment NewSegmentLocked(int number)
    {
        var segment = new Segment(number, PathOf(number)) { Salt = SegmentHeader.NewSalt() };
        _segments.Add(number, segment);
        return segment;
    }
}
