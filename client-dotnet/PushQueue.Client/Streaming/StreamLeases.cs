namespace PushQueue.Client.Streaming;

/// <summary>
/// Settles the leases of one stream, over HTTP, so that an ack does not depend on the stream's connection. While one request of acks is
/// under way the next ones gather and go together: batching appears by itself and adds no delay. Its lock is a leaf.
/// </summary>
internal sealed class StreamLeases(PushQueueClient client, string queue, HeldMessages held) : ILeaseOwner
{
    private const int AcksPerRequest = 1000;

    private readonly Lock _gate = new();
    private List<Pending> _waiting = [];
    private bool _sending;
    private Task _sender = Task.CompletedTask;

    public Task<bool> AckAsync(Message message, CancellationToken cancellationToken)
    {
        var pending = new Pending(message);
        lock (_gate)
        {
            _waiting.Add(pending);
            if (!_sending)
            {
                _sending = true;
                _sender = SendAllAsync();
            }
        }

        return cancellationToken.CanBeCanceled ? pending.Task.WaitAsync(cancellationToken) : pending.Task;
    }

    /// <summary>Completes when no ack is under way any more.</summary>
    public Task WhenSent()
    {
        lock (_gate)
        {
            return _sender;
        }
    }

    public async Task<bool> ReleaseAsync(Message message, ReleaseReason reason, CancellationToken cancellationToken)
    {
        var path = PushQueueClient.ReleasePath(message, reason);
        return Settled(message, await client.TrySettleAsync(path, PushQueueClient.SettleRetry, cancellationToken).ConfigureAwait(false));
    }

    public async Task<bool> TouchAsync(Message message, TimeSpan? timeToRun, CancellationToken cancellationToken)
    {
        var path = PushQueueClient.SettlePath(message, "touch").Add("ttr", timeToRun);
        return await client.TrySettleAsync(path, retry: null, cancellationToken).ConfigureAwait(false) || Settled(message, done: false);
    }

    private bool Settled(Message message, bool done)
    {
        held.Remove(message);
        message.Settled = done;
        if (!done)
        {
            message.End();
        }

        return done;
    }

    private async Task SendAllAsync()
    {
        // The next caller of AckAsync should find the list, not wait for this to begin.
        await Task.Yield();
        while (TakeWaiting() is { } batch)
        {
            // A stream over many queues has no queue of its own.
            var parts = queue.Length > 0
                ? batch.Chunk(AcksPerRequest)
                : batch.GroupBy(static ack => ack.Message.Queue).SelectMany(static acks => acks.Chunk(AcksPerRequest));
            foreach (var part in parts)
            {
                await SendAsync(part).ConfigureAwait(false);
            }
        }
    }

    private List<Pending>? TakeWaiting()
    {
        lock (_gate)
        {
            if (_waiting.Count == 0)
            {
                _sending = false;
                return null;
            }

            var taken = _waiting;
            _waiting = [];
            return taken;
        }
    }

    private async Task SendAsync(Pending[] acks)
    {
        try
        {
            var keys = Array.ConvertAll(acks, ack => new LeaseKey(ack.Message.Id, ack.Message.Receipt!));
            var (results, repeated) = await client.SettleManyAsync(
                PushQueueClient.SettleManyPath(acks[0].Message.Queue, "ack"), keys, PushQueueClient.SettleRetry,
                CancellationToken.None).ConfigureAwait(false);
            for (var i = 0; i < acks.Length; i++)
            {
                // Gone after a request whose answer was lost: that one has done it.
                var done = results[i].Ok || (repeated && results[i].Error == ProblemTypes.NotFound);
                acks[i].Complete(Settled(acks[i].Message, done));
            }
        }
        catch (Exception e)
        {
            Array.ForEach(acks, ack => ack.Fail(e));
        }
    }

    private sealed class Pending(Message message)
    {
        private readonly TaskCompletionSource<bool> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Message Message => message;

        public Task<bool> Task => _done.Task;

        public void Complete(bool done) => _done.SetResult(done);

        public void Fail(Exception error)
        {
            _done.SetException(error);

            // A program that did not wait for its ack is not to hear of it from the finalizer.
            _ = _done.Task.Exception;
        }
    }
}
