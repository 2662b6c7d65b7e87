using System.Runtime.InteropServices;
using PushQueue.Queues;
using PushQueue.Storage.Embedded.Records;
using PushQueue.Storage.Log;

namespace PushQueue.Storage.Embedded;

/// <summary>
/// Puts into a queue whose messages are broadcast to connected consumers. They get their offsets when their batch is about to be written,
/// by a record in the same batch, so that a message costs one flush and not two. When the batch is durable they wait, unread, for
/// <see cref="EmbeddedQueue.Broadcast"/>. If any other message is ready, the puts become ready, too, and get their offsets there, because
/// the order of ready messages is that of the offsets. Guarded by the queue's lock.
/// </summary>
internal sealed class PushedPuts(QueueState state, EmbeddedQueue owner)
{
    /// <summary>
    /// How many messages may wait unread. They cannot be taken, cancelled or dropped any more, so a dispatcher that is slow finds the next
    /// ones among the ready messages.
    /// </summary>
    private const int UnreadMax = 10_000;

    // The puts of the open batch, and of the batch before, which may be taken for writing but not closed yet. Null until the first one:
    // most queues never have any.
    private List<StoredMessage>? _open;
    private List<StoredMessage>? _before;
    private LogBatch? _openBatch;
    private LogBatch? _beforeBatch;
    private long _firstOffset;
    private long _closedAtMs;
    private int _writing;

    /// <summary>Whether a dispatcher has broadcast messages, and consumers were live at the last write. If not, puts do not join.</summary>
    public bool IsExpected { get; set; }

    /// <summary>Whether puts with offsets are being written. No other message may get an offset: a full disk takes these back.</summary>
    public bool IsWriting => _writing > 0;

    private bool IsBroadcast => state.Settings is { Stopped: false, EffectivePolicy: DeliveryPolicy.Broadcast };

    /// <summary>Records of messages were appended. Called with the log's lock held, so that the batch is still open.</summary>
    public void Join(LogAppender appender, ReadOnlySpan<StoredMessage> messages)
    {
        if (_openBatch != appender.Batch)
        {
            (_open, _before) = (_before, _open);
            (_openBatch, _beforeBatch) = (appender.Batch, _openBatch);
            (_open ??= []).Clear();
            appender.CloseWith(owner);
        }

        _open!.AddRange(messages);
    }

    /// <summary>The batch is about to be written: gives its puts their offsets, unless a rule forbids it.</summary>
    public void Close(LogAppender appender, bool isPushed)
    {
        IsExpected = isPushed;
        var isOpen = _openBatch == appender.Batch;
        if (!isOpen && _beforeBatch != appender.Batch)
        {
            return;
        }

        // A put of the queue that did not join, in whatever batch, becomes ready and comes before later ones.
        var joined = (_openBatch is null ? 0 : _open!.Count) + (_beforeBatch is null ? 0 : _before!.Count);
        var puts = isOpen ? _open! : _before!;
        (isOpen ? ref _openBatch : ref _beforeBatch) = null;
        if (isPushed && state.Pending == joined && MayBroadcast(puts))
        {
            puts.RemoveAll(static put => put.BecomesDelayed);
            Number(appender, CollectionsMarshal.AsSpan(puts));
        }

        puts.Clear();
    }

    /// <summary>The put of a message that has an offset is durable.</summary>
    public void Show(StoredMessage message)
    {
        _writing--;
        state.CountPut(message);

        // Its id and unique key are free from now on.
        state.Index.Remove(message);
        state.History.Add(message, _closedAtMs);
        state.Counters.Delivered++;
        state.Events.Finished(message.Id, new FinishedMessage(Acked: true, Worker: null, message.Attempts + 1, Reason: null));
        state.Events.Ready();
        if (_writing == 0 && !IsBroadcast)
        {
            ExposeAll(_closedAtMs);
        }
    }

    /// <summary>
    /// A full disk refused the put of a pending message. If it had an offset, the same happens to all others that have theirs from this
    /// batch.
    /// </summary>
    public void TakeBack(StoredMessage message)
    {
        if (message.Offset > 0 && _writing > 0)
        {
            _writing = 0;
            state.History.TakeBackOffsets(_firstOffset);
            state.Events.Ready();
        }
    }

    /// <summary>Gives the dispatcher the next unread messages. False if no message is unread.</summary>
    public bool TryRead(OutgoingMessages outgoing, int count, int bytesMax, long now)
    {
        var bytes = 0L;
        while (outgoing.Count < count && state.History.FirstUnread is { } message)
        {
            bytes += message.BodyLength;
            if (outgoing.Count > 0 && bytes > bytesMax)
            {
                break;
            }

            outgoing.Add(message, message.Attempts + 1, state.Name);
            state.History.Expose(message);
        }

        Trim(now, outgoing.Count > 0);
        return outgoing.Count > 0;
    }

    /// <summary>A queue that is stopped, or that gives its messages to one consumer each, has no unread messages.</summary>
    public void OnSettingsChanged(long now)
    {
        if (!IsBroadcast)
        {
            ExposeAll(now);
        }
    }

    /// <summary>Unread messages go to history, where consumers read them.</summary>
    public void ExposeAll(long now)
    {
        var any = false;
        while (state.History.FirstUnread is { } message)
        {
            state.History.Expose(message);
            any = true;
        }

        if (any)
        {
            state.Events.Broadcast(state.History.EndOffset);
        }

        Trim(now, any);
    }

    /// <summary>The queue was deleted.</summary>
    public void Clear()
    {
        (_open, _before) = (null, null);
        (_openBatch, _beforeBatch, _writing) = (null, null, 0);
    }

    private void Trim(long now, bool isNeeded)
    {
        if (isNeeded)
        {
            state.History.Trim(state.Settings, now);
            state.NoteDue(state.History.NextEndMs(state.Settings));
        }
    }

    /// <summary>
    /// Whether the puts come out next, and in the order in which they came. Bodies that memory has no room for would have to be read back.
    /// </summary>
    private bool MayBroadcast(List<StoredMessage> puts) =>
        !state.IsDeleted
        && IsBroadcast
        && _writing == 0
        && state.Waiting.Ready.Count == 0
        && state.Earlier is null
        && state.History.Unread < UnreadMax
        && state.Services.Cache.HasRoomForHistory
        && IsInOrder(puts);

    private bool IsInOrder(List<StoredMessage> puts)
    {
        StoredMessage? last = null;
        foreach (var put in puts)
        {
            if (put.BecomesDelayed)
            {
                continue;
            }

            if ((last is not null && QueueOrder.Instance.Compare(last, put) > 0) || (put.Key is not null && !AreKeysFree()))
            {
                return false;
            }

            last = put;
        }

        return last is not null;
    }

    /// <summary>Whether no message of a key has to wait for another one, or for its turn.</summary>
    private bool AreKeysFree() => state.Leased.Count == 0 && state.Waiting.Delayed.Count == 0 && !state.Settings.Fair;

    private void Number(LogAppender appender, ReadOnlySpan<StoredMessage> puts)
    {
        _firstOffset = state.History.NextOffset;
        _closedAtMs = state.Services.NowMs();
        _writing = puts.Length;
        foreach (var put in puts)
        {
            put.Offset = state.History.TakeOffset();
        }

        appender.Broadcast(state.Number, _closedAtMs, puts);
    }
}
