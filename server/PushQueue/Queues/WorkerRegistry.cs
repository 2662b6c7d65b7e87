namespace PushQueue.Queues;

/// <summary>
/// The workers with a name, and what they did, as this node saw it. A worker that has not been seen for
/// <see cref="QueuesOptions.WorkerAgeMax"/> is forgotten. Bounded: when it is full, the worker that was seen longest ago makes room for a
/// new one.
/// </summary>
internal sealed class WorkerRegistry(TimeProvider time, QueuesOptions options) : IQueueChangeListener
{
    public const int WorkersMax = 10_000;

    private const int QueuesPerWorkerMax = 100;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Entry> _workers = new(StringComparer.Ordinal);

    public int Count
    {
        get
        {
            lock (_lock)
            {
                ForgetOldLocked();
                return _workers.Count;
            }
        }
    }

    /// <summary>A worker begins: it is on the queue, and what it did before does not count any more.</summary>
    public void Register(QueueName queue, string worker)
    {
        lock (_lock)
        {
            _ = _workers.Remove(worker, out var before);
            MakeRoomLocked();
            var entry = new Entry(time.GetUtcNow()) { SeenTimestamp = time.GetTimestamp() };
            entry.Queues.UnionWith(before?.Queues ?? []);
            entry.Registered.UnionWith(before?.Registered ?? []);
            if (entry.Queues.Contains(queue) || entry.Queues.Count < QueuesPerWorkerMax)
            {
                entry.Queues.Add(queue);
                entry.Registered.Add(queue);
            }

            _workers.Add(worker, entry);
        }
    }

    /// <summary>One worker; null where it is not known.</summary>
    public WorkerInfo? Find(string worker)
    {
        lock (_lock)
        {
            ForgetOldLocked();
            return _workers.TryGetValue(worker, out var entry) ? Info(worker, entry) : null;
        }
    }

    /// <summary>A worker asked for work, or said that it will.</summary>
    public void Seen(QueueName queue, string worker) => Update(queue, worker, processed: 0, failed: 0);

    public void Processed(QueueName queue, string worker, int count) => Update(queue, worker, count, failed: 0);

    public void Failed(QueueName queue, string worker, int count) => Update(queue, worker, processed: 0, count);

    /// <summary>The worker leaves a queue; one without queues is forgotten. False where it was not there.</summary>
    public bool Forget(QueueName queue, string worker)
    {
        lock (_lock)
        {
            if (!_workers.TryGetValue(worker, out var entry) || !entry.Queues.Remove(queue))
            {
                return false;
            }

            entry.Registered.Remove(queue);

            if (entry.Queues.Count == 0)
            {
                _workers.Remove(worker);
            }

            return true;
        }
    }

    /// <summary>All workers in the order of their names.</summary>
    public IReadOnlyList<WorkerInfo> List()
    {
        lock (_lock)
        {
            ForgetOldLocked();
            return
            [
                .. _workers.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => Info(pair.Key, pair.Value)),
            ];
        }
    }

    public void OnFinished(QueueName queue, MessageId id, FinishedMessage outcome)
    {
        if (outcome is { Acked: true, Elsewhere: false, Worker: { } worker })
        {
            Processed(queue, worker, 1);
        }
    }

    public void OnWorkerFailed(QueueName queue, string worker) => Failed(queue, worker, 1);

    public void OnReady(QueueName queue)
    {
    }

    public void OnSettingsChanged(QueueName queue, QueueSettings settings)
    {
    }

    public void OnDeleted(QueueName queue)
    {
    }

    public void OnLeasedCancelled(QueueName queue, MessageId id, Receipt receipt)
    {
    }

    private void Update(QueueName queue, string worker, int processed, int failed)
    {
        var now = time.GetUtcNow();
        lock (_lock)
        {
            if (!_workers.TryGetValue(worker, out var entry))
            {
                MakeRoomLocked();
                _workers.Add(worker, entry = new Entry(now));
            }

            if (entry.Queues.Count < QueuesPerWorkerMax)
            {
                entry.Queues.Add(queue);
            }

            entry.LastSeen = now;
            entry.SeenTimestamp = time.GetTimestamp();
            entry.Processed += processed;
            entry.Failed += failed;
        }
    }

    /// <summary>The names of the workers that said that they begin on a queue, in their order; others only asked it for work.</summary>
    public IReadOnlyList<string> Registered(QueueName queue)
    {
        lock (_lock)
        {
            ForgetOldLocked();
            return [
                .. _workers.Where(pair => pair.Value.Registered.Contains(queue)).Select(pair => pair.Key).Order(StringComparer.Ordinal)
            ];
        }
    }

    private static WorkerInfo Info(string name, Entry entry) =>
        new(name, [.. entry.Queues], entry.Since, entry.LastSeen, entry.Processed, entry.Failed);

    private void ForgetOldLocked()
    {
        var now = time.GetTimestamp();
        foreach (var (name, entry) in _workers)
        {
            if (time.GetElapsedTime(entry.SeenTimestamp, now) > options.WorkerAgeMax)
            {
                // A dictionary may lose entries while it is walked.
                _ = _workers.Remove(name);
            }
        }
    }

    private void MakeRoomLocked()
    {
        if (_workers.Count >= WorkersMax)
        {
            ForgetOldLocked();
        }

        if (_workers.Count >= WorkersMax)
        {
            _workers.Remove(_workers.MinBy(pair => pair.Value.SeenTimestamp).Key);
        }
    }

    private sealed class Entry(DateTimeOffset since)
    {
        public DateTimeOffset Since { get; } = since;

        public DateTimeOffset LastSeen { get; set; } = since;

        /// <summary>The same by the monotonic clock.</summary>
        public long SeenTimestamp { get; set; }

        public HashSet<QueueName> Queues { get; } = [];

        /// <summary>Those of the queues that it registered on.</summary>
        public HashSet<QueueName> Registered { get; } = [];

        public long Processed { get; set; }

        public long Failed { get; set; }
    }
}

/// <summary>One worker at one moment.</summary>
/// <param name="Name">The name it gave.</param>
/// <param name="Queues">The queues it asked for work.</param>
/// <param name="Since">When it first came, or last said that it begins.</param>
/// <param name="LastSeen">When it last came.</param>
/// <param name="Processed">Messages it took for good or acked.</param>
/// <param name="Failed">Leases it gave back, or let run out.</param>
internal sealed record WorkerInfo(
    string Name, IReadOnlyList<QueueName> Queues, DateTimeOffset Since, DateTimeOffset LastSeen, long Processed, long Failed);
