using PushQueue.Queues;

namespace PushQueue.Tests.Support;

/// <summary>Keeps what a store tells, and lets a test wait until it has told something.</summary>
internal sealed class RecordingListener : IQueueChangeListener
{
    private readonly Lock _lock = new();
    private readonly List<StoreNews> _news = [];
    private readonly List<(Func<StoreNews, bool> Condition, TaskCompletionSource<StoreNews> Told)> _waiters = [];

    /// <summary>Called, where it is set, with each news, before it is kept.</summary>
    public Action<StoreNews>? Telling { get; set; }

    /// <summary>Whether somebody is connected to every queue.</summary>
    public bool IsInUse { get; set; }

    /// <summary>Whether consumers of every queue are live and have room.</summary>
    public bool IsPushing { get; set; }

    public bool Uses(QueueName queue) => IsInUse;

    /// <summary>Called, where it is set, when a store is about to write puts of a queue.</summary>
    public Action<QueueName>? Writing { get; set; }

    public bool? Pushes(QueueName queue)
    {
        Writing?.Invoke(queue);
        return IsPushing ? true : null;
    }

    public IReadOnlyList<StoreNews> News
    {
        get
        {
            lock (_lock)
            {
                return [.. _news];
            }
        }
    }

    /// <summary>Forgets all events so far, so that the next wait is for a new one.</summary>
    public void Clear()
    {
        lock (_lock)
        {
            _news.Clear();
        }
    }

    /// <summary>The first news since the start (or <see cref="Clear"/>) that fits, told already or still to come.</summary>
    public Task<StoreNews> WaitForAsync(Func<StoreNews, bool> condition)
    {
        lock (_lock)
        {
            if (_news.Find(news => condition(news)) is { } told)
            {
                return Task.FromResult(told);
            }

            var waiter = new TaskCompletionSource<StoreNews>(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiters.Add((condition, waiter));
            return waiter.Task;
        }
    }

    public async Task<T> WaitForAsync<T>(QueueName queue)
        where T : StoreNews =>
        (T)await WaitForAsync(news => news is T && news.Queue == queue).WithTimeout($"waiting for {typeof(T).Name} of {queue}");

    public void OnReady(QueueName queue) => Tell(new BecameReady(queue));

    public void OnSettingsChanged(QueueName queue, QueueSettings settings) => Tell(new SettingsChanged(queue, settings));

    public void OnDeleted(QueueName queue) => Tell(new Deleted(queue));

    public void OnLeasedCancelled(QueueName queue, MessageId id, Receipt receipt) => Tell(new LeasedCancelled(queue, id, receipt));

    public void OnFinished(QueueName queue, MessageId id, FinishedMessage outcome) => Tell(new Finished(queue, id, outcome));

    public void OnLeaseEnded(QueueName queue, MessageId id, Receipt receipt) => Tell(new LeaseEnded(queue, id, receipt));

    public void OnBroadcast(QueueName queue, long nextOffset) => Tell(new BroadcastTo(queue, nextOffset));

    public void OnFeeding(QueueName queue) => Tell(new Feeding(queue));

    public void OnResumed() => Tell(new Resumed());

    public void OnWorkerFailed(QueueName queue, string worker) => Tell(new WorkerFailed(queue, worker));

    private void Tell(StoreNews news)
    {
        Telling?.Invoke(news);
        lock (_lock)
        {
            _news.Add(news);
            foreach (var waiter in _waiters.Where(waiter => waiter.Condition(news)).ToList())
            {
                _waiters.Remove(waiter);
                waiter.Told.SetResult(news);
            }
        }
    }
}

/// <summary>One call to an <see cref="IQueueChangeListener"/>.</summary>
internal abstract record StoreNews(QueueName Queue);

internal sealed record BecameReady(QueueName Queue) : StoreNews(Queue);

internal sealed record Feeding(QueueName Queue) : StoreNews(Queue);

internal sealed record BroadcastTo(QueueName Queue, long NextOffset) : StoreNews(Queue);

internal sealed record Resumed() : StoreNews(default(QueueName));

internal sealed record SettingsChanged(QueueName Queue, QueueSettings Settings) : StoreNews(Queue);

internal sealed record Deleted(QueueName Queue) : StoreNews(Queue);

internal sealed record LeasedCancelled(QueueName Queue, MessageId Id, Receipt Receipt) : StoreNews(Queue);

internal sealed record LeaseEnded(QueueName Queue, MessageId Id, Receipt Receipt) : StoreNews(Queue);

internal sealed record WorkerFailed(QueueName Queue, string Worker) : StoreNews(Queue);

internal sealed record Finished(QueueName Queue, MessageId Id, FinishedMessage Outcome) : StoreNews(Queue);
