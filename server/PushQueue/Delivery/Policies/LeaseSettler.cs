using PushQueue.Queues;

namespace PushQueue.Delivery.Policies;

/// <summary>
/// Ends the leases of pushed messages, many at a time: while one batch is on its way to the store the next one gathers, and nobody
/// waits for it. Giving back goes first, so that a message that was not written is soon at the front again.
/// </summary>
internal sealed class LeaseSettler(QueueName queue, IMessageStore store)
{
    private readonly Lock _gate = new();
    private readonly List<(LeaseKey[] Keys, ReleaseRequest Request)> _givenBack = [];
    private List<LeaseKey> _acked = [];
    private Task _running = Task.CompletedTask;
    private bool _isRunning;

    /// <summary>Completes when all that was handed over so far is settled.</summary>
    public Task WhenSettled()
    {
        lock (_gate)
        {
            return _running;
        }
    }

    public void Ack(LeaseKey[] keys)
    {
        lock (_gate)
        {
            _acked.AddRange(keys);
            RunLocked();
        }
    }

    public void GiveBack(LeaseKey[] keys, ReleaseRequest request)
    {
        lock (_gate)
        {
            _givenBack.Add((keys, request));
            RunLocked();
        }
    }

    private void RunLocked()
    {
        if (!_isRunning)
        {
            _isRunning = true;

            // On the pool: the caller may hold no more than its own thread, and a store may answer at once for a long time.
            _running = Task.Run(RunAsync);
        }
    }

    private async Task RunAsync()
    {
        while (TakeNext() is var (acked, givenBack) && (acked is not null || givenBack.Length > 0))
        {
            foreach (var (keys, request) in givenBack)
            {
                _ = await store.ReleaseAsync(queue, keys, request);
            }

            if (acked is not null)
            {
                _ = await store.AckAsync(queue, acked);
            }
        }
    }

    private (List<LeaseKey>? Acked, (LeaseKey[] Keys, ReleaseRequest Request)[] GivenBack) TakeNext()
    {
        lock (_gate)
        {
            var givenBack = _givenBack.ToArray();
            _givenBack.Clear();
            List<LeaseKey>? acked = null;
            if (_acked.Count > 0)
            {
                acked = _acked;
                _acked = [];
            }

            _isRunning = acked is not null || givenBack.Length > 0;
            return (acked, givenBack);
        }
    }
}
