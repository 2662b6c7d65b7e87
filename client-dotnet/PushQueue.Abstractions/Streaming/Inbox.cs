namespace PushQueue.Client.Streaming;

/// <summary>
/// Messages that were received and not yet consumed. One writer, one reader; the reader takes all that is there at once, so that a busy
/// stream pays for one lock per batch on that side. hot path: guarded by the bench row <c>client</c>. Its lock is a leaf.
/// </summary>
internal sealed class Inbox(int countMax, long bytesMax)
{
    private readonly Lock _gate = new();
    private List<object> _items = [];
    private long _bytes;
    private TaskCompletionSource? _arrived;
    private TaskCompletionSource? _room;
    private bool _ended;
    private Exception? _error;

    /// <summary>Adds it in any case. False: wait for room before the next one.</summary>
    public bool Add(object item, int bytes)
    {
        TaskCompletionSource? arrived;
        bool hasRoom;
        lock (_gate)
        {
            _items.Add(item);
            _bytes += bytes;
            hasRoom = HasRoomLocked;
            arrived = _arrived;
            _arrived = null;
        }

        arrived?.SetResult();
        return hasRoom;
    }

    public Task WaitForRoomAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (HasRoomLocked || _ended)
            {
                return Task.CompletedTask;
            }

            _room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _room.Task.WaitAsync(cancellationToken);
        }
    }

    /// <summary>All that is there, at least one; null at the end. Throws what it was ended with, once all before it was taken.</summary>
    /// <param name="empty">A list to go on with.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async ValueTask<List<object>?> TakeAllAsync(List<object> empty, CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Task arrived;
            lock (_gate)
            {
                if (_items.Count > 0)
                {
                    var taken = _items;
                    _items = empty;
                    _bytes = 0;
                    _room?.SetResult();
                    _room = null;
                    return taken;
                }

                if (_ended)
                {
                    break;
                }

                _arrived ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                arrived = _arrived.Task;
            }

            await arrived.WaitAsync(cancellationToken).ConfigureAwait(false);
        }

        return _error is null ? null : throw _error;
    }

    /// <param name="error">The exception for the reader; null for an orderly end.</param>
    public void End(Exception? error)
    {
        TaskCompletionSource? arrived;
        TaskCompletionSource? room;
        lock (_gate)
        {
            if (_ended)
            {
                return;
            }

            _ended = true;
            _error = error;
            (arrived, room) = (_arrived, _room);
            (_arrived, _room) = (null, null);
        }

        arrived?.SetResult();
        room?.SetResult();
    }

    private bool HasRoomLocked => _items.Count < countMax && _bytes < bytesMax;
}
