using Microsoft.Extensions.Logging;

namespace PushQueue.Storage.Embedded.Log;

/// <summary>
/// The append-only log: collects records in the open batch, and one thread of its own writes batch after batch to the last segment. While
/// it writes and flushes one, the next gathers, so commits group themselves without a delay. Any thread appends (through
/// <see cref="BeginAppend"/>, under the log's lock, memory only); only the log's thread touches files that are being written. It never
/// reads messages, never decides what is live, and never calls anybody with its lock held.
/// </summary>
internal sealed class MessageLog : IDisposable
{
    private readonly object _gate = new();
    private readonly EmbeddedStoreOptions _options;
    private readonly SortedDictionary<int, Segment> _segments;
    private readonly string _bootId = SegmentHeader.ReadBootId();
    private readonly LogWriter _writer;
    private readonly Thread _thread;
    private LogBatch _open;
    private bool _writerWaits;
    private bool _stopping;

    /// <param name="options">Where and how.</param>
    /// <param name="segments">The segments that recovery found, all sealed.</param>
    /// <param name="nextSegmentNumber">The number of the segment to begin.</param>
    /// <param name="logger">For the operator.</param>
    public MessageLog(EmbeddedStoreOptions options, IEnumerable<Segment> segments, int nextSegmentNumber, ILogger logger)
    {
        _options = options;
        _segments = new SortedDictionary<int, Segment>(segments.ToDictionary(segment => segment.Number));
        _writer = new LogWriter(options, this, logger);
        _open = BeginSegment(nextSegmentNumber);
        _thread = new Thread(Run) { IsBackground = true, Name = "PushQueue log" };
    }

    /// <summary>Told on the log's thread that a new segment has begun.</summary>
    public Action? SegmentBegun { get; set; }

    public bool DiskFull => _writer.DiskFull;

    /// <summary>Why the log takes no more records; null while it does.</summary>
    public string? BrokenReason => _writer.BrokenReason;

    public void Start() => _thread.Start();

    /// <summary>Takes the log's lock until the appender is disposed.</summary>
    public LogAppender BeginAppend()
    {
        Monitor.Enter(_gate);
        return new LogAppender(this, _open);
    }

    /// <summary>Called by the appender only.</summary>
    public void EndAppend()
    {
        if (_writerWaits)
        {
            _writerWaits = false;
            Monitor.Pulse(_gate);
        }

        Monitor.Exit(_gate);
    }

    public IReadOnlyList<Segment> Segments()
    {
        lock (_gate)
        {
            return [.. _segments.Values];
        }
    }

    /// <summary>For a caller that holds an appender.</summary>
    public IReadOnlyCollection<int> SegmentNumbersLocked() => _segments.Keys;

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
        while (true)
        {
            // Where cores are short, those who are about to append go first, and one flush serves more of them.
            Thread.Yield();
            var batch = NextBatch(out var stop);
            if (batch is not null)
            {
                _writer.Commit(batch);
                if (batch.BeginsSegment)
                {
                    SegmentBegun?.Invoke();
                }
            }
            else
            {
                _writer.Idle();
            }

            if (stop)
            {
                _writer.Finish();
                return;
            }
        }
    }

    private LogBatch? NextBatch(out bool stop)
    {
        lock (_gate)
        {
            if (_open.Length == 0 && !_stopping)
            {
                _writerWaits = true;
                Monitor.Wait(_gate, _writer.IdleTimeoutMs());
                _writerWaits = false;
            }

            stop = _stopping && _open.Length == 0;
            if (_open.Length == 0 && !_writer.OwesRecords)
            {
                return null;
            }

            var batch = _open;
            var end = batch.Start + batch.Length;
            _open = end >= _options.SegmentBytes ? BeginSegment(batch.Segment.Number + 1) : new LogBatch(batch.Segment, end);
            return batch;
        }
    }

    private LogBatch BeginSegment(int number)
    {
        var batch = new LogBatch(NewSegmentLocked(number), 0) { BeginsSegment = true };
        var header = new SegmentHeader(SegmentHeader.CurrentVersion, number, _options.Durability.Mode, _bootId, batch.Segment.Salt);
        new LogAppender(this, batch).SegmentHeaders(header);
        return batch;
    }

    private Segment NewSegmentLocked(int number)
    {
        var segment = new Segment(number, Path.Combine(_options.DataDirectory, Segment.FileName(number))) { Salt = SegmentHeader.NewSalt() };
        _segments.Add(number, segment);
        return segment;
    }
}
