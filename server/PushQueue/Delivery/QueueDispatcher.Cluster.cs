using PushQueue.Delivery.Encoding;
using PushQueue.Queues;

namespace PushQueue.Delivery;

/// <summary>Where the queue stands for all nodes together: what others have given out, and what to do when the store was away.</summary>
internal sealed partial class QueueDispatcher
{
    private TaskCompletionSource? _lookedAgain;
    private long _notifiedOffset;
    private int _settingsChanges;
    private volatile bool _lookAgain;

    /// <summary>Offsets below this one have been given out, as far as this node was notified.</summary>
    public long NotifiedOffset => Volatile.Read(ref _notifiedOffset);

    /// <summary>Offsets below <paramref name="nextOffset"/> have been given out.</summary>
    public void OnBroadcast(long nextOffset)
    {
        var notified = NotifiedOffset;
        while (notified < nextOffset)
        {
            var seen = Interlocked.CompareExchange(ref _notifiedOffset, nextOffset, notified);
            if (seen == notified)
            {
                Signal();
                return;
            }

            notified = seen;
        }
    }

    /// <summary>Discards a late notification from before the offsets were reset.</summary>
    public void ResetNotified(long notified, long nextOffset) =>
        _ = Interlocked.CompareExchange(ref _notifiedOffset, nextOffset, notified);

    /// <summary>Reads settings and position again before the next round.</summary>
    public void LookAgain()
    {
        _lookAgain = true;
        Signal();
    }

    /// <summary>Completes when settings and position were read again.</summary>
    public Task LookAgainAsync()
    {
        Task looked;
        lock (_gate)
        {
            _lookedAgain ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            looked = _lookedAgain.Task;
        }

        LookAgain();
        return looked;
    }

    /// <summary>Continues at a later offset without sending anything if no consumer is live. False if one is.</summary>
    public bool TrySkipTo(long nextOffset)
    {
        TaskCompletionSource? advanced;
        lock (_gate)
        {
            if (LiveLocked().Length > 0)
            {
                return false;
            }

            _nextOffset = nextOffset;
            advanced = _advanced;
            _advanced = null;
        }

        advanced?.SetResult();
        return true;
    }

    /// <summary>Whether the offsets of a position continue where this node stands.</summary>
    public bool Continues(in BroadcastPosition position)
    {
        lock (_gate)
        {
            return (_epoch.Length == 0 || position.Epoch == _epoch) && position.NextOffset >= _nextOffset;
        }
    }

    private async ValueTask LookAgainNowAsync()
    {
        _lookAgain = false;
        try
        {
            var changes = Volatile.Read(ref _settingsChanges);
            var info = await _store.GetQueueAsync(Queue);
            ContinueFrom(info?.Position ?? new BroadcastPosition(string.Empty, 1, 1));
            TaskCompletionSource? looked;
            lock (_gate)
            {
                // A change that was notified meanwhile is newer than what was read.
                _settings = changes == _settingsChanges ? info?.Settings ?? QueueSettings.Default : _settings;
                looked = _lookedAgain;
                _lookedAgain = null;
            }

            looked?.SetResult();
        }
        catch
        {
            _lookAgain = true;
            throw;
        }
    }

    private void ContinueFrom(in BroadcastPosition position)
    {
        if (Continues(position))
        {
            _epoch = position.Epoch;
            OnBroadcast(position.NextOffset);
            return;
        }

        // The store has lost offsets, or another queue has taken the name: what lies between is unknown. Offsets below the epoch's first
        // are those that this node knows.
        var next = Math.Max(position.FirstOffset, Math.Min(NextOffset, position.EpochOffset));
        Volatile.Write(ref _notifiedOffset, position.NextOffset);
        _epoch = position.Epoch;
        GapNotice.Send(AdvanceTo(next), new Gap(GapCause.Reset, 0, 0, Cursor.Of(position.Epoch, next - 1)));
    }
}
