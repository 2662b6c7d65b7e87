using System.Numerics;
using PushQueue.Delivery.Encoding;
using PushQueue.Queues;

namespace PushQueue.Delivery;

/// <summary>
/// The pages that wait for one connection, bounded in bytes. Owns the rule that a connection has one write outstanding at most. A caller
/// that offers a page to an idle connection writes it at once on its own thread; while a write is pending, pages wait here by reference,
/// and the pump takes all that waits (up to 64 KB) and flushes once. Never blocks the caller, and holds no memory while idle. Starts
/// held: nothing is written before <see cref="Open"/>, so that a consumer can join before its response headers are out.
/// </summary>
internal sealed partial class OutboundBuffer(IConsumerConnection connection, CoarseClock clock, DeliveryOptions options)
{
    // One write of at most this size is what the stall timeout measures: a reader slower than 6 KB/s counts as stuck.
    private const int WriteBytesMax = 64 * 1024;

    // Long enough that a reader which shares a busy machine's cores is not taken for one that has stopped.
    private const int StuckAfterSeconds = 2;

    private readonly Lock _gate = new();
    private Queue<Waiting>? _waiting;
    private Consumer[] _consumers = [];
    private TaskCompletionSource? _roomFreed;
    private TaskCompletionSource? _idle;
    private CloseReason? _reason;
    private int _waitingBytes;
    private int _writingBytes;
    private int _leavingBytes;
    private MemoryBudget? _budget;
    private Action? _shrink;
    private int _lastWriteAt = clock.Seconds;
    private bool _writing = true;
    private bool _held = true;
    private State _state;

    private enum State
    {
        Open,

        /// <summary>Takes nothing more; writes its closing notice.</summary>
        Closing,

        Closed,
    }

    public IConsumerConnection Connection => connection;

    /// <summary>
    /// The version of the client's rights at the last check of its subscriptions; see <see cref="Dispatcher.EndWhatIsForbidden"/>.
    /// </summary>
    public int RightsChecked { get; set; } = connection.Rights.Version;

    public bool IsOpen => _state == State.Open;

    /// <summary>The connection is over: nothing is written any more.</summary>
    public bool IsClosed => _state == State.Closed;

    /// <summary>Messages wait and the connection has taken none for a while: its own slowness, not the server's.</summary>
    public bool IsStuck => IsOverHalf && clock.Seconds - Volatile.Read(ref _lastWriteAt) >= StuckAfterSeconds;

    public bool IsOverHalf => Volatile.Read(ref _waitingBytes) > options.BufferBytesMax / 2;

    public int WaitingBytes => Volatile.Read(ref _waitingBytes);

    /// <summary>Bytes that wait here or are being written, shared or not.</summary>
    public long HeldBytes => (long)WaitingBytes + Volatile.Read(ref _writingBytes);

    /// <summary>When it last took something, by the coarse clock.</summary>
    public int LastWriteAt => Volatile.Read(ref _lastWriteAt);

    /// <summary>Where the buffer accounts for its memory. Set before it is opened.</summary>
    /// <param name="budget">The memory of all buffers together.</param>
    /// <param name="shrink">Called without a lock after more was used; cuts the slowest connections where the bound is exceeded.</param>
    public void AccountTo(MemoryBudget budget, Action shrink)
    {
        _budget = budget;
        _shrink = shrink;
    }

    public ReadOnlySpan<Consumer> Consumers => Volatile.Read(ref _consumers);

    /// <summary>
    /// The queues of a stream over many; null for a connection without one. Then the pump writes all pages, in their order.
    /// </summary>
    public QueueSet? Set { get; private set; }

    /// <summary>False if the connection has a stream over many queues already, or is over.</summary>
    public bool TryAttach(QueueSet set)
    {
        lock (_gate)
        {
            if (Set is not null || _state == State.Closed)
            {
                return false;
            }

            Set = set;
            return true;
        }
    }

    public void Detach(QueueSet set)
    {
        lock (_gate)
        {
            Set = Set == set ? null : Set;
        }
    }

    /// <summary>Lets the first write through.</summary>
    /// <param name="first">Written before all that waits by now; null for nothing.</param>
    public void Open(EncodedPage? first = null)
    {
        lock (_gate)
        {
            if (first is not null && _state != State.Closed)
            {
                var joined = _waiting;
                _waiting = new Queue<Waiting>();
                KeepLocked(_waiting, new Waiting(first, null, null));
                foreach (var waiting in joined ?? [])
                {
                    _waiting.Enqueue(waiting);
                }
            }

            _held = false;
        }

        _ = PumpAsync();
    }

    /// <summary>Hands a page over; see <see cref="OfferOutcome"/>. The observer, where given, is always notified.</summary>
    /// <param name="page">Whole frames.</param>
    /// <param name="consumer">Whose messages these are; null for what concerns the connection.</param>
    /// <param name="observer">Notified when the page is written or never will be.</param>
    /// <param name="evenIfFull">For a caller that checked the room before.</param>
    public OfferOutcome Offer(EncodedPage page, Consumer? consumer = null, IWriteObserver? observer = null, bool evenIfFull = true)
    {
        // hot path: once per connection and round; guarded by bench fanout
        OfferOutcome outcome;
        var mustPump = false;
        lock (_gate)
        {
            if (_state != State.Open)
            {
                outcome = OfferOutcome.Closed;
            }
            else if (_writing)
            {
                outcome = EnqueueLocked(new Waiting(page, consumer, observer), evenIfFull);
            }
            else if (Set is not null)
            {
                outcome = EnqueueLocked(new Waiting(page, consumer, observer), evenIfFull);
                mustPump = _writing = outcome == OfferOutcome.Queued;
            }
            else
            {
                _writing = true;
                _lastWriteAt = clock.Seconds;
                outcome = OfferOutcome.Written;
            }
        }

        switch (outcome)
        {
            case OfferOutcome.Written:
                return WriteInline(page, observer);
            case OfferOutcome.Full:
                Close(CloseReason.SlowConsumer, keepWaiting: false);
                observer?.OnNotWritten();
                return outcome;
            case OfferOutcome.Closed:
            case OfferOutcome.NoRoom:
                observer?.OnNotWritten();
                return outcome;
            default:
                if (mustPump)
                {
                    _ = PumpAsync();
                }

                _shrink?.Invoke();
                return outcome;
        }
    }

    /// <summary>Writes the cursor of the stream over many queues, behind all that waits. Does nothing if that stream has ended.</summary>
    public void OfferCursor()
    {
        lock (_gate)
        {
            if (_state != State.Open || Set is null)
            {
                return;
            }

            _ = EnqueueLocked(new Waiting(QueueSet.Mark, null, null), evenIfFull: true);
            if (_writing)
            {
                return;
            }

            _writing = true;
        }

        _ = PumpAsync();
    }

    /// <summary>Completes once less than half of the room is taken, or the connection is closed.</summary>
    public Task WaitForRoomAsync()
    {
        lock (_gate)
        {
            if (!IsOverHalf || _state != State.Open)
            {
                return Task.CompletedTask;
            }

            _roomFreed ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _roomFreed.Task;
        }
    }

    public void Attach(Consumer consumer)
    {
        lock (_gate)
        {
            Volatile.Write(ref _consumers, [.. _consumers, consumer]);
        }
    }

    public void Detach(Consumer consumer)
    {
        lock (_gate)
        {
            Volatile.Write(ref _consumers, Array.FindAll(_consumers, other => !ReferenceEquals(other, consumer)));
        }
    }

    /// <summary>
    /// The first offset that still waits for a consumer, else 0. Walks over all that waits: for people, not for programs.
    /// </summary>
    public long OldestWaitingOffset(Consumer consumer)
    {
        lock (_gate)
        {
            foreach (var waiting in _waiting ?? [])
            {
                if (ReferenceEquals(waiting.Consumer, consumer) && waiting.Page.FirstOffset > 0)
                {
                    return waiting.Page.FirstOffset;
                }
            }

            return 0;
        }
    }

    private OfferOutcome EnqueueLocked(in Waiting waiting, bool evenIfFull)
    {
        _waiting ??= new Queue<Waiting>();
        if (!evenIfFull && _waiting.Count > 0 && _waitingBytes + waiting.Page.Length > options.BufferBytesMax)
        {
            waiting.Consumer?.Dispatcher?.Counts.AddFullBuffer();
            if (waiting.Consumer is not { Options.Overflow: not OverflowPolicy.Disconnect } consumer)
            {
                // One busy queue must not end a stream over many.
                return waiting.Consumer?.Member is null ? OfferOutcome.Full : OfferOutcome.NoRoom;
            }

            DropLocked(consumer, waiting.Page.Length);
        }

        KeepLocked(_waiting, waiting);
        return OfferOutcome.Queued;
    }

    private void KeepLocked(Queue<Waiting> queue, in Waiting waiting)
    {
        queue.Enqueue(waiting);
        _waitingBytes += waiting.Page.Length;
        if (_budget is not null && waiting.Page.Retain())
        {
            _budget.Add(waiting.Page.Length);
        }
    }

    private void ReleaseLocked(EncodedPage page)
    {
        _waitingBytes -= page.Length;
        if (_budget is not null && page.Release())
        {
            _budget.Remove(page.Length);
        }
    }

    /// <summary>A write is pending. The web server and the socket hold a copy of it, in blocks of powers of two.</summary>
    private void BeginWriting(int bytes)
    {
        if (_budget is not null)
        {
            Volatile.Write(ref _writingBytes, (int)BitOperations.RoundUpToPowerOf2((uint)bytes));
            _budget.Add(_writingBytes);
            _shrink!();
        }
    }

    private void EndWriting()
    {
        if (_writingBytes > 0)
        {
            _budget!.Remove(_writingBytes);
            lock (_gate)
            {
                _budget.AddLeaving(-_leavingBytes);
                _leavingBytes = 0;
                Volatile.Write(ref _writingBytes, 0);
            }
        }
    }

    private OfferOutcome WriteInline(EncodedPage page, IWriteObserver? observer)
    {
        try
        {
            var write = connection.WriteAsync(page);
            if (!write.IsCompletedSuccessfully)
            {
                BeginWriting(page.Length);
                _ = WriteSlowAsync(write, observer);
                return OfferOutcome.Queued;
            }

            // Gives a pooled source back; it has completed.
            write.GetAwaiter().GetResult();
        }
        catch (Exception e)
        {
            // Any exception of a transport means the same: this connection is gone. Its reason is logged by the watch.
            observer?.OnNotWritten();
            Fail(e);
            return OfferOutcome.Closed;
        }

        observer?.OnWritten();
        lock (_gate)
        {
            if (_waiting is not { Count: > 0 } && _state == State.Open && _idle is null)
            {
                _writing = false;
                return OfferOutcome.Written;
            }
        }

        _ = PumpAsync();
        return OfferOutcome.Written;
    }

    private async Task WriteSlowAsync(ValueTask write, IWriteObserver? observer)
    {
        try
        {
            await write;
        }
        catch (Exception e)
        {
            EndWriting();
            observer?.OnNotWritten();
            Fail(e);
            return;
        }

        EndWriting();
        observer?.OnWritten();
        await PumpAsync();
    }

    private async Task PumpAsync()
    {
        var pages = new List<EncodedPage>();
        var observers = new List<IWriteObserver>();
        while (TakeWaiting(pages, observers, out var bytes))
        {
            try
            {
                var write = pages.Count == 1 ? connection.WriteAsync(pages[0]) : connection.WriteAsync(pages);
                if (!write.IsCompleted)
                {
                    BeginWriting(bytes);
                }

                await write;
            }
            catch (Exception e)
            {
                EndWriting();
                observers.ForEach(observer => observer.OnNotWritten());
                Fail(e);
                return;
            }

            EndWriting();
            observers.ForEach(observer => observer.OnWritten());
            pages.Clear();
            observers.Clear();
        }
    }

    /// <summary>The next write; false when nothing waits, after the connection was made idle or completed.</summary>
    private bool TakeWaiting(List<EncodedPage> pages, List<IWriteObserver> observers, out int bytes)
    {
        bool freed;
        CloseReason? completed = null;
        lock (_gate)
        {
            var wasOverHalf = IsOverHalf;
            bytes = 0;
            while (_waiting is not null && _waiting.TryPeek(out var next) && (bytes == 0 || bytes + next.Page.Length <= WriteBytesMax))
            {
                _ = _waiting.Dequeue();
                ReleaseLocked(next.Page);
                if (Set is { } set)
                {
                    var isClosingNotice = _state == State.Closing && _waiting.Count == 0;
                    bytes += set.Add(next.Page, next.Consumer, isClosingNotice, clock.Seconds, pages);
                }
                else if (!next.Page.IsUnwritten)
                {
                    bytes += next.Page.Length;
                    pages.Add(next.Page);
                }

                if (next.Observer is { } observer)
                {
                    observers.Add(observer);
                }
            }

            _lastWriteAt = clock.Seconds;
            freed = wasOverHalf && !IsOverHalf;
            if (pages.Count == 0)
            {
                completed = BecomeIdleLocked();
            }
        }

        if (freed)
        {
            NotifyRoom();
        }

        if (completed is not null)
        {
            connection.Complete(completed);
        }

        return pages.Count > 0;
    }

    /// <summary>Nothing waits and nothing is being written. Gives the reason if this was the closing notice.</summary>
    private CloseReason? BecomeIdleLocked()
    {
        _writing = false;
        _waiting = null;
        _idle?.TrySetResult();
        if (_state != State.Closing)
        {
            return null;
        }

        _state = State.Closed;
        return _reason;
    }

    private void NotifyRoom()
    {
        TaskCompletionSource? freed;
        lock (_gate)
        {
            freed = _roomFreed;
            _roomFreed = null;
        }

        freed?.TrySetResult();
        foreach (var consumer in Consumers)
        {
            consumer.OnRoom();
        }
    }

    private readonly record struct Waiting(EncodedPage Page, Consumer? Consumer, IWriteObserver? Observer);
}

/// <summary>The fate of a page that was offered.</summary>
internal enum OfferOutcome
{
    /// <summary>It is on the wire.</summary>
    Written,

    /// <summary>It waits for a pending write, within the bound.</summary>
    Queued,

    /// <summary>There was no room; the connection is being closed.</summary>
    Full,

    /// <summary>There was no room in a stream over many queues; the queue reads on from its history when there is.</summary>
    NoRoom,

    /// <summary>The connection has ended.</summary>
    Closed,
}
