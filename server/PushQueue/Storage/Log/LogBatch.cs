using System.Buffers;
using System.Runtime.InteropServices;

namespace PushQueue.Storage.Log;

/// <summary>How a batch ended for those who wait on it.</summary>
internal enum CommitOutcome
{
    Committed,

    /// <summary>
    /// The disk is full: the records that only add messages were dropped, nobody has seen them. To who waits for the disk: the others
    /// are not
    /// there yet either.
    /// </summary>
    DiskFull,

    /// <summary>The disk is broken; nothing more is promised.</summary>
    Broken,
}

/// <summary>
/// Records that go to disk together. Filled under the log's lock, written by the log's thread. Whole records never span two chunks.
/// </summary>
internal sealed class LogBatch(Segment segment, long start)
{
    private const int ChunkBytes = 128 * 1024;

    // A batch of a hundred thousand records needs a list of megabytes; made each time it would wear out the garbage collector. Two,
    // because one batch gathers while another is written.
    private static List<LocatedRecord>? _spareList;
    private static List<LocatedRecord>? _otherSpareList;

    // A batch that was written has this empty list.
    private static readonly List<LocatedRecord> NoRecords = [];

    private readonly List<Chunk> _chunks = [];
    private volatile bool _isOwed;
    private List<ILogOwner>? _closers;
    private TaskCompletionSource<CommitOutcome>? _additions;
    private TaskCompletionSource<CommitOutcome>? _written;
    private TaskCompletionSource<CommitOutcome>? _synced;

    public Segment Segment { get; private set; } = segment;

    /// <summary>Where in the segment the first record goes.</summary>
    public long Start { get; private set; } = start;

    /// <summary>Whether its first records are a segment's header, twice.</summary>
    public bool BeginsSegment { get; set; }

    public long Length { get; private set; }

    /// <summary>The records whose place their owners want to know, in their order.</summary>
    public List<LocatedRecord> Located { get; private set; } = TakeList();

    /// <summary>Where in the batch the records begin that count only together with what the batch adds.</summary>
    public long ClosingFrom { get; private set; } = long.MaxValue;

    /// <summary>Whether somebody waits for the disk and not only for the operating system.</summary>
    public bool NeedsSync { get; set; }

    /// <summary>Whether its records wait in memory because the disk had no room even for them; they are written before any later
    /// one.</summary>
    public bool IsOwed => _isOwed;

    public IReadOnlyList<Chunk> Chunks => _chunks;

    /// <summary>Room for a record of at most this many bytes; <see cref="Commit"/> says how many it took.</summary>
    public Span<byte> Reserve(int bytesMax)
    {
        if (_chunks.Count == 0 || _chunks[^1].Room < bytesMax)
        {
            _chunks.Add(new Chunk(ArrayPool<byte>.Shared.Rent(Math.Max(ChunkBytes, bytesMax))));
        }

        var chunk = _chunks[^1];
        return chunk.Buffer.AsSpan(chunk.Length, bytesMax);
    }

    /// <summary>Returns where in the segment the record begins.</summary>
    public long Commit(int bytes)
    {
        var offset = Start + Length;
        _chunks[^1].Length += bytes;
        Length += bytes;
        return offset;
    }

    public void CloseWith(ILogOwner owner) => (_closers ??= []).Add(owner);

    /// <summary>Lets the owners that asked for it append their last records. The batch is closed for everybody else.</summary>
    /// <returns>Whether the batch became longer.</returns>
    public bool Close(MessageLog log)
    {
        if (_closers is null)
        {
            return false;
        }

        ClosingFrom = Length;
        foreach (var owner in _closers)
        {
            owner.OnClosing(new LogAppender(log, this));
        }

        return Length > ClosingFrom;
    }

    /// <summary>The batch goes to another place than was thought when its records were appended.</summary>
    public void MoveTo(Segment segment, long start)
    {
        var located = CollectionsMarshal.AsSpan(Located);
        for (var i = 0; i < located.Length; i++)
        {
            located[i] = located[i] with { RecordOffset = located[i].RecordOffset - Start + start };
        }

        Segment = segment;
        Start = start;
    }

    /// <summary>The batch goes to another segment, whose first records, its headers, become the batch's first.</summary>
    public void MoveBehind(LogBatch headers)
    {
        MoveTo(headers.Segment, headers.Length);
        _chunks.InsertRange(0, headers._chunks);
        headers._chunks.Clear();
        BeginsSegment = true;
        Start = 0;
        ClosingFrom += ClosingFrom == long.MaxValue ? 0 : headers.Length;
        Length += headers.Length;
    }

    /// <summary>Completes when what this batch adds is as durable as the store promises, and visible.</summary>
    public Task<CommitOutcome> Additions => Source(ref _additions);

    /// <summary>Completes when the operating system has the batch.</summary>
    public Task<CommitOutcome> Written => Source(ref _written);

    /// <summary>Completes when the batch is as durable as the store promises.</summary>
    public Task<CommitOutcome> Synced => Source(ref _synced);

    public void MarkOwed()
    {
        _isOwed = true;
        CompleteSynced(CommitOutcome.DiskFull);
    }

    public void CompleteWritten(CommitOutcome outcome) => Complete(ref _written, outcome);

    public void CompleteSynced(CommitOutcome outcome) => Complete(ref _synced, outcome);

    public void CompleteAdditions(CommitOutcome outcome) => Complete(ref _additions, outcome);

    /// <summary>Replaces the chunks after records were dropped from the batch.</summary>
    public void KeepOnly(List<Chunk> chunks)
    {
        ReturnChunks();
        _chunks.AddRange(chunks);
        Length = 0;
        foreach (var chunk in chunks)
        {
            Length += chunk.Length;
        }
    }

    /// <summary>
    /// Puts records of an earlier batch before this one's, but behind a segment's headers: both, because what stands behind the first
    /// is read
    /// with the salt that it tells. Nobody knows the place of any of these records.
    /// </summary>
    public void Prepend(List<Chunk> chunks)
    {
        if (chunks.Count == 0)
        {
            return;
        }

        if (BeginsSegment)
        {
            SplitOffHeaders();
            RemoveHeaders(chunks[0]);
        }

        _chunks.InsertRange(BeginsSegment ? 1 : 0, chunks);
        foreach (var chunk in chunks)
        {
            Length += chunk.Length;
        }
    }

    /// <summary>Records that are owed by a segment of which the disk took nothing begin with that segment's headers.</summary>
    private static void RemoveHeaders(Chunk chunk)
    {
        if (chunk.Length >= SegmentHeader.BothBytes && chunk.Buffer[2] == LogRecordType.SegmentHeader)
        {
            chunk.Length -= SegmentHeader.BothBytes;
            chunk.Buffer.AsSpan(SegmentHeader.BothBytes, chunk.Length).CopyTo(chunk.Buffer);
        }
    }

    private void SplitOffHeaders()
    {
        var first = _chunks[0];
        var headers = new Chunk(ArrayPool<byte>.Shared.Rent(SegmentHeader.BothBytes)) { Length = SegmentHeader.BothBytes };
        first.Buffer.AsSpan(0, SegmentHeader.BothBytes).CopyTo(headers.Buffer);
        first.Buffer.AsSpan(SegmentHeader.BothBytes, first.Length - SegmentHeader.BothBytes).CopyTo(first.Buffer);
        first.Length -= SegmentHeader.BothBytes;
        _chunks.Insert(0, headers);
    }

    /// <summary>Takes the records out; the batch is empty then.</summary>
    public Chunk[] TakeChunks()
    {
        var chunks = _chunks.ToArray();
        _chunks.Clear();
        Length = 0;
        return chunks;
    }

    /// <summary>The batch is over: its memory serves the next one.</summary>
    public void Recycle()
    {
        ReturnChunks();
        var list = Located;
        Located = NoRecords;
        list.Clear();
        if (Interlocked.CompareExchange(ref _spareList, list, null) is not null)
        {
            _otherSpareList = list;
        }
    }

    private static List<LocatedRecord> TakeList() =>
        Interlocked.Exchange(ref _spareList, null) ?? Interlocked.Exchange(ref _otherSpareList, null) ?? [];

    private void ReturnChunks()
    {
        foreach (var chunk in _chunks)
        {
            ArrayPool<byte>.Shared.Return(chunk.Buffer);
        }

        _chunks.Clear();
    }

    // Completed by the log's thread, which must not run what comes after an await.
    private static readonly TaskCompletionSource<CommitOutcome> AlreadyCommitted = Done(CommitOutcome.Committed);
    private static readonly TaskCompletionSource<CommitOutcome> AlreadyFull = Done(CommitOutcome.DiskFull);
    private static readonly TaskCompletionSource<CommitOutcome> AlreadyBroken = Done(CommitOutcome.Broken);

    /// <summary>A waiter may come before or after the end of the batch, and from any thread.</summary>
    private static Task<CommitOutcome> Source(ref TaskCompletionSource<CommitOutcome>? source)
    {
        var current = Volatile.Read(ref source);
        if (current is null)
        {
            var fresh = new TaskCompletionSource<CommitOutcome>(TaskCreationOptions.RunContinuationsAsynchronously);
            current = Interlocked.CompareExchange(ref source, fresh, null) ?? fresh;
        }

        return current.Task;
    }

    private static void Complete(ref TaskCompletionSource<CommitOutcome>? source, CommitOutcome outcome)
    {
        var done = outcome switch
        {
            CommitOutcome.Committed => AlreadyCommitted,
            CommitOutcome.DiskFull => AlreadyFull,
            _ => AlreadyBroken,
        };
        var waiting = Interlocked.CompareExchange(ref source, done, null);
        if (waiting is not null)
        {
            waiting.TrySetResult(outcome);
        }
    }

    private static TaskCompletionSource<CommitOutcome> Done(CommitOutcome outcome)
    {
        var source = new TaskCompletionSource<CommitOutcome>();
        source.SetResult(outcome);
        return source;
    }

    /// <summary>A piece of the batch's bytes.</summary>
    internal sealed class Chunk(byte[] buffer)
    {
        public byte[] Buffer { get; } = buffer;

        public int Length { get; set; }

        public int Room => Buffer.Length - Length;
    }
}
