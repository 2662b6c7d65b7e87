using PushQueue.Delivery.Encoding;

namespace PushQueue.Delivery;

/// <summary>How a buffer ends, what it drops, and what the watch does to it once a second.</summary>
internal sealed partial class OutboundBuffer
{
    // A closing connection that does not take its closing notice within this time is cut.
    private const int ClosingNoticeSeconds = 2;

    private const int HeartbeatsUnanswered = 3;

    // A gap with short names; only decides how much is dropped at once.
    private const int GapBytesAbout = 150;

    private int _closingAt;
    private int _lastHeartbeatAt;

    /// <summary>The program stops together with the node. How long its work may take to end is the host's matter.</summary>
    private bool EndsWorkFirst => connection.IsInProcess && _reason?.Name == CloseReason.ServerShutdown.Name;

    /// <summary>Takes nothing more, tells the client why, then ends the connection.</summary>
    /// <param name="reason">Why.</param>
    /// <param name="keepWaiting">Write what waits first; else it is dropped, and its observers are notified.</param>
    public void Close(CloseReason reason, bool keepWaiting)
    {
        List<IWriteObserver>? dropped = null;
        bool pump;
        lock (_gate)
        {
            if (_state != State.Open)
            {
                return;
            }

            _state = State.Closing;
            _reason = reason;
            _closingAt = clock.Seconds;
            if (!keepWaiting)
            {
                dropped = DropAllLocked();
            }

            _waiting ??= new Queue<Waiting>();
            var notice = connection.ControlFormat.EncodeClose(null, reason);
            KeepLocked(_waiting, new Waiting(notice, null, null));
            pump = !_writing;
            _writing = true;
        }

        dropped?.ForEach(observer => observer.OnNotWritten());
        NotifyRoom();
        if (pump)
        {
            _ = PumpAsync();
        }
    }

    /// <summary>The transport's connection is over: drops what waits and completes once no write is pending.</summary>
    public Task EndAsync()
    {
        List<IWriteObserver>? dropped;
        Task idle;
        lock (_gate)
        {
            // Before it was opened no write is pending; the first one is only held.
            _writing &= !_held;
            _state = State.Closed;
            dropped = DropAllLocked();
            if (_writing)
            {
                _idle ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                idle = _idle.Task;
            }
            else
            {
                idle = Task.CompletedTask;
            }
        }

        dropped?.ForEach(observer => observer.OnNotWritten());
        NotifyRoom();
        return idle;
    }

    /// <summary>Once a second: cuts a connection that takes nothing, sends a heartbeat on an idle one. True where it was cut.</summary>
    public bool Watch(int now, out CloseReason? cut)
    {
        bool isHeartbeatDue;
        lock (_gate)
        {
            cut = null;
            if (_state == State.Closing && now - _closingAt >= ClosingNoticeSeconds && !EndsWorkFirst)
            {
                cut = _reason;
            }
            else if (_state == State.Open && WhyCutLocked(now) is { } reason)
            {
                cut = reason;
                _state = State.Closing;
                _reason = cut;
                _closingAt = now;
            }

            // A connection whose client answers gets a heartbeat if the client was silent, however much is written to it. Any other
            // connection gets one if nothing was written.
            var quietSince = connection.LastHeardAt is { } heardAt ? Math.Max(heardAt, _lastHeartbeatAt) : _lastWriteAt;
            isHeartbeatDue = _state == State.Open && now - quietSince >= options.HeartbeatInterval.TotalSeconds;
            _lastHeartbeatAt = isHeartbeatDue ? now : _lastHeartbeatAt;
        }

        if (cut is not null)
        {
            connection.Abort(cut);
            NotifyRoom();
        }
        else if (isHeartbeatDue && connection.ControlFormat.Heartbeat is { } heartbeat)
        {
            _ = Offer(heartbeat);
        }
        else if (Set is { } set && set.IsCursorDue(now))
        {
            OfferCursor();
        }

        return cut is not null;
    }

    /// <summary>
    /// Cuts the connection for the memory that it holds. It gets no closing notice: it reads too slowly to take it, and it would keep the
    /// memory. False where it is closing already.
    /// </summary>
    public bool CutForMemory()
    {
        List<IWriteObserver>? dropped;
        lock (_gate)
        {
            if (_state == State.Closed || _leavingBytes > 0)
            {
                return false;
            }

            _state = State.Closing;
            _reason = CloseReason.SlowConsumer;
            _closingAt = clock.Seconds;
            dropped = DropAllLocked();
            _leavingBytes = Volatile.Read(ref _writingBytes);
            _budget?.AddLeaving(_leavingBytes);
        }

        dropped?.ForEach(observer => observer.OnNotWritten());
        connection.Abort(CloseReason.SlowConsumer);
        NotifyRoom();
        return true;
    }

    private CloseReason? WhyCutLocked(int now)
    {
        if (_writing && now - _lastWriteAt >= options.StallTimeout.TotalSeconds)
        {
            return CloseReason.Stalled;
        }

        return connection.LastHeardAt is { } heardAt && now - heardAt >= HeartbeatsUnanswered * options.HeartbeatInterval.TotalSeconds
            ? CloseReason.NoAnswer
            : null;
    }

    private void Fail(Exception exception)
    {
        List<IWriteObserver>? dropped;
        lock (_gate)
        {
            _state = State.Closed;
            _writing = false;
            dropped = DropAllLocked();
            _idle?.TrySetResult();
        }

        LastFailure = exception;
        dropped?.ForEach(observer => observer.OnNotWritten());
        NotifyRoom();
        connection.Abort(_reason ?? CloseReason.ServerError);
    }

    /// <summary>Why the last write failed; for the log line at the connection's end.</summary>
    public Exception? LastFailure { get; private set; }

    private List<IWriteObserver>? DropAllLocked()
    {
        List<IWriteObserver>? dropped = null;
        while (_waiting is not null && _waiting.TryDequeue(out var waiting))
        {
            ReleaseLocked(waiting.Page);
            if (waiting.Observer is { } observer)
            {
                (dropped ??= []).Add(observer);
            }
        }

        _waiting = null;
        return dropped;
    }

    /// <summary>
    /// The consumers of one stream over many queues whose waiting pages are dropped: those for which the most bytes wait, and no more of
    /// them than it takes to free the room.
    /// </summary>
    private HashSet<Consumer> HeaviestLocked(Consumer consumer, int bytesToFree)
    {
        var bytes = new Dictionary<Consumer, int>();
        foreach (var waiting in _waiting!)
        {
            if (waiting.Page.Droppable && waiting.Consumer is { } other && other.Member?.Set == consumer.Member!.Set)
            {
                bytes[other] = bytes.GetValueOrDefault(other) + waiting.Page.Length;
            }
        }

        var heaviest = new HashSet<Consumer>();
        foreach (var (other, length) in bytes.OrderByDescending(static pair => pair.Value))
        {
            _ = heaviest.Add(other);
            bytesToFree -= Math.Max(0, length - GapBytesAbout);
            if (bytesToFree <= 0)
            {
                break;
            }
        }

        return heaviest;
    }

    /// <summary>
    /// Drops waiting pages, oldest first, until a quarter of the room is free, so that the walk over the queue is made once per many
    /// pages. Leaves one gap per consumer in their place. Drops pages of the consumer; in a stream over many queues those of the
    /// consumers for which the most bytes wait.
    /// </summary>
    private void DropLocked(Consumer consumer, int bytesNeeded)
    {
        var bytesWanted = options.BufferBytesMax / 4 * 3;
        var dropping = consumer.Member is null ? [consumer] : HeaviestLocked(consumer, _waitingBytes + bytesNeeded - bytesWanted);
        bytesWanted = consumer.Options.Overflow == OverflowPolicy.Latest ? 0 : bytesWanted;
        var gaps = new Dictionary<Consumer, (long From, long To)>();
        var kept = new Queue<Waiting>(_waiting!.Count);
        var dropped = 0;
        var enough = false;
        while (_waiting.TryDequeue(out var waiting))
        {
            // An older gap becomes part of the new one, but frees nothing; so at least one page beyond the gaps is dropped.
            enough = enough || (dropped > Math.Max(1, gaps.Count)
                && _waitingBytes + bytesNeeded + (GapBytesAbout * (gaps.Count - 1)) <= bytesWanted);
            if (!enough && waiting.Page.Droppable && waiting.Consumer is { } from && dropping.Contains(from))
            {
                gaps[from] = (gaps.TryGetValue(from, out var gap) ? gap.From : waiting.Page.FirstOffset, waiting.Page.LastOffset);
                dropped++;
                ReleaseLocked(waiting.Page);
                continue;
            }

            if (waiting.Consumer is { } owner && gaps.Remove(owner, out var before))
            {
                // Pages of other consumers may stand between; the gap stands before the first page of its consumer that is kept.
                KeepGapLocked(kept, owner, before.From, before.To);
            }

            kept.Enqueue(waiting);
        }

        foreach (var (owner, (from, to)) in gaps)
        {
            KeepGapLocked(kept, owner, from, to);
        }

        _waiting = kept;
    }

    private void KeepGapLocked(Queue<Waiting> kept, Consumer consumer, long from, long to)
    {
        // Pages that can be dropped are broadcast, and those have an epoch.
        var epoch = consumer.Dispatcher?.Epoch ?? string.Empty;
        var page = consumer.Format.EncodeGap(consumer.Queue, new Gap(GapCause.Overflow, from, to, Cursor.Of(epoch, to)));
        consumer.Dispatcher?.Counts.AddGap(GapCause.Overflow);
        KeepLocked(kept, new Waiting(page, consumer, null));
    }
}
