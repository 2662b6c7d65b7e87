namespace PushQueue.Queues;

/// <summary>
/// Ends the leases of pushed messages, many at a time: while one batch is on its way to the store the next one gathers, and no caller
/// waits for it. Giving back goes first, so that a message that was not written is soon at the front again. While the store is out of reach
/// it keeps what it has and tries again; what that can be is bounded by what the consumers could hold.
/// </summary>
internal sealed class LeaseSettler(QueueName queue, IMessageStore store, TimeProvider time, FaultBorder faults)
{
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly List<(LeaseKey[] Keys, ReleaseRequest Request)> _givenBack = [];
    private List<LeaseKey> _acked = [];
    private Task _running = Task.CompletedTask;
    private bool _isRunning;
    private volatile bool _givenUp;

    /// <summary>Completes when all that was handed over so far is settled.</summary>
    public Task WhenSettled()
    {
        lock (_gate)
        {
            return _running;
        }
    }

    /// <summary>Tries nothing a second time from now on: the node stops, and the store ends its leases.</summary>
    public void GiveUp() => _givenUp = true;

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
                await SettleAsync(keys, request);
            }

            if (acked is not null)
            {
                await SettleAsync(acked, giveBack: null);
            }
        }
    }

    private async Task SettleAsync(IReadOnlyList<LeaseKey> keys, ReleaseRequest? giveBack)
    {
        var failed = false;
        while (keys.Count > 0)
        {
            try
            {
                var answers = giveBack is null
                    ? await store.AckAsync(queue, keys)
                    : await store.ReleaseAsync(queue, keys, giveBack);
                keys = Unsettled(keys, answers);
            }
            catch (Exception e)
            {
                // The border of this loop. One report is enough.
                if (e is not StoreUnavailableException)
                {
                    faults.ReportOnce(queue, e, isRepeated: failed);
                }

                failed = true;
            }

            if (_givenUp)
            {
                return;
            }

            if (keys.Count > 0)
            {
                await Task.Delay(RetryInterval, time);
            }
        }
    }

    private static List<LeaseKey> Unsettled(IReadOnlyList<LeaseKey> keys, IReadOnlyList<QueueError> answers)
    {
        // hot path: all are settled, but for a store that is out of reach.
        List<LeaseKey>? unsettled = null;
        for (var i = 0; i < answers.Count; i++)
        {
            if (answers[i] == QueueError.StoreUnavailable)
            {
                (unsettled ??= []).Add(keys[i]);
            }
        }

        return unsettled ?? [];
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
