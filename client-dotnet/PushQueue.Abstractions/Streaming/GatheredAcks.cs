namespace PushQueue.Client.Streaming;

/// <summary>
/// The acks of one stream. While some are under way the next ones gather and go together: batching appears by itself and adds no delay.
/// hot path: guarded by the bench rows <c>handler</c>. Its lock is a leaf.
/// </summary>
/// <param name="send">Sends acks, and notifies their observers. Must not throw. The list is used again afterwards.</param>
internal sealed class GatheredAcks(Func<List<WaitingAck>, Task> send)
{
    private readonly Lock _gate = new();
    private List<WaitingAck> _waiting = [];
    private bool _sending;
    private Task _sender = Task.CompletedTask;

    public void Add(Message message, IAckObserver observer)
    {
        lock (_gate)
        {
            _waiting.Add(new WaitingAck(message, observer));
            if (!_sending)
            {
                _sending = true;
                _sender = SendAllAsync();
            }
        }
    }

    public Task<bool> AddAsync(Message message, CancellationToken cancellationToken)
    {
        var ack = new AckTask();
        Add(message, ack);
        return cancellationToken.CanBeCanceled ? ack.Task.WaitAsync(cancellationToken) : ack.Task;
    }

    /// <summary>Completes when no ack is under way any more.</summary>
    public Task WhenSent()
    {
        lock (_gate)
        {
            return _sender;
        }
    }

    private async Task SendAllAsync()
    {
        // The next caller should find the list, not wait for this to begin.
        await Task.Yield();
        var spare = new List<WaitingAck>();
        while (TakeWaiting(spare) is { } batch)
        {
            await send(batch).ConfigureAwait(false);
            batch.Clear();
            spare = batch;
        }
    }

    private List<WaitingAck>? TakeWaiting(List<WaitingAck> spare)
    {
        lock (_gate)
        {
            if (_waiting.Count == 0)
            {
                _sending = false;
                return null;
            }

            var taken = _waiting;
            _waiting = spare;
            return taken;
        }
    }

    private sealed class AckTask : IAckObserver
    {
        private readonly TaskCompletionSource<bool> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<bool> Task => _done.Task;

        public void OnAcked(Message message, bool done) => _done.SetResult(done);

        public void OnNotAcked(Message message, Exception error)
        {
            _done.SetException(error);

            // A program that did not wait for its ack is not to hear of it from the finalizer.
            _ = _done.Task.Exception;
        }
    }
}
