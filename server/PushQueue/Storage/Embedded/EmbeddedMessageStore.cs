using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using PushQueue.Queues;
using PushQueue.Storage.Embedded.Records;
using PushQueue.Storage.Log;

namespace PushQueue.Storage.Embedded;

/// <summary>
/// The store of one node: queues in memory, their history of changes in an append-only log in a folder of its own. Finds the queue, lets it
/// change its state, awaits what the answer promises, and brings in bodies that memory does not have. Holds no rule about messages itself:
/// those are <see cref="EmbeddedQueue"/>'s.
/// </summary>
internal sealed partial class EmbeddedMessageStore : IMessageStore, IQueueDirectory
{
    private readonly EmbeddedStoreOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly StoreServices _services;
    private readonly ConcurrentDictionary<QueueName, EmbeddedQueue> _queues = new();
    private readonly QueueNames _names = new();
    private readonly Lock _creation = new();
    private StoreLock? _lock;
    private LogCleaner? _cleaner;
    private readonly StoreSubscriptions _subscriptions;
    private readonly EarlierCopies _earlier;
    private long _nextQueueNumber = 1;
    private bool _disposed;

    public EmbeddedMessageStore(EmbeddedStoreOptions options, TimeProvider time, ILoggerFactory loggers)
    {
        _options = options;
        _time = time;
        _logger = loggers.CreateLogger<EmbeddedMessageStore>();
        _services = new StoreServices(this, time, new BodyCache(options.CacheBytesMax), _logger, options.Meter);
        _earlier = new EarlierCopies(_services, time);
        _subscriptions = new StoreSubscriptions(() => _queues.Values, _creation, this, _earlier);
    }

    public string Description => $"embedded log in {Path.GetFullPath(_options.DataDirectory)}";

    public Durability Durability => _options.Durability;

    public StoreTotals? Totals => _services.Totals;

    public StoreDamage? Damage => _services.Damage.Found;

    public DateTimeOffset Now => _time.GetUtcNow();

    public string? UnavailableReason => _services.Log?.BrokenReason;

    public async Task OpenAsync(IQueueChangeListener listener, CancellationToken cancellationToken)
    {
        _services.Listener = listener;

        // Reading a large log takes seconds and blocks: a thread of its own, not one of the pool's.
        await Task.Factory.StartNew(Open, cancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    public EmbeddedQueue? Find(QueueName name) => _queues.GetValueOrDefault(name);

    public EmbeddedQueue GetOrCreate(QueueName name)
    {
        if (_queues.TryGetValue(name, out var existing))
        {
            return existing;
        }

        var queue = GetOrCreateSilently(name, out var isNew);
        if (isNew && !name.IsDeadLetter)
        {
            // A queue makes its dead-letter queue inside a transaction, under its lock.
            NotifyMade(name);
        }

        return queue;
    }

    public EmbeddedQueue GetOrCreateSilently(QueueName name, out bool isNew)
    {
        lock (_creation)
        {
            isNew = false;
            if (_queues.TryGetValue(name, out var existing))
            {
                return existing;
            }

            isNew = true;
            var expires = QueueExpiry.Find(_options.Expires, name);
            var settings = expires is null ? QueueSettings.Default : QueueSettings.Default with { Expires = expires };
            var queue = new EmbeddedQueue(_services, _nextQueueNumber++, name, EmbeddedQueue.NewEpoch(), settings);
            queue.Subscribers = _subscriptions.Table.SubscribersOf(queue);
            queue.RecordNew(_services.NowMs());
            _queues[name] = queue;
            _names.Add(name.Value);
            _services.CountQueues(1);
            return queue;
        }
    }

    public void NotifyMade(QueueName name) => _services.Listener.OnMade(name);

    /// <summary>Says that the stop was orderly, writes everything, and lets the folder go.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        await _earlier.DisposeAsync();
        _services.Timers.Dispose();
        _cleaner?.Dispose();
        if (_services.Log is { } log)
        {
            foreach (var queue in _queues.Values)
            {
                // Without it the queue keeps its messages; only counters may miss their last moments.
                _ = _services.QueueFaults.Try(queue.Name, queue, static queue => queue.RecordState());
            }

            using (var appender = log.BeginAppend())
            {
                appender.CleanStop();
            }

            log.Dispose();
        }

        _lock?.Dispose();
    }

    private IReadOnlyList<EmbeddedQueue> QueuesAtSnapshot(Action begin)
    {
        lock (_creation)
        {
            begin();
            return [.. _queues.Values];
        }
    }

    private void Open()
    {
        _lock = StoreLock.Take(_options.DataDirectory);
        try
        {
            var recovery = new LogRecovery(_options, _services, SegmentHeader.ReadBootId(), _logger);
            recovery.Run();
            foreach (var queue in recovery.Queues)
            {
                _queues[queue.Name] = queue;
                _names.Add(queue.Name.Value);
                _services.CountQueues(1);
            }

            _subscriptions.Restore(recovery.Queues);
            _nextQueueNumber = recovery.NextQueueNumber;
            _services.Log = new MessageLog(_options.ForLog(), recovery.Log, _logger);
            _cleaner = new LogCleaner(
                _services, () => [.. _queues.Values], QueuesAtSnapshot, () => Volatile.Read(ref _nextQueueNumber), _logger);
            _services.Cleaner = _cleaner;
            _services.Log.SegmentBegun = _cleaner.WantSnapshot;
            _services.Log.Start();
            _cleaner.Start();
            foreach (var queue in recovery.Queues)
            {
                if (!_services.QueueFaults.Try(queue.Name, queue, static queue => queue.EndOrphanedLeases()))
                {
                    _services.Timers.RetryLater(queue);
                }

                if (queue.Settings.Expires is null && QueueExpiry.PatchOf(_options.Expires, queue.Name) is { } patch)
                {
                    _ = queue.UpdateSettings(patch);
                }
            }

            foreach (var queue in recovery.Queues.Where(static queue => queue.Subscribers is not null))
            {
                queue.Feed(queue.Subscribers);
                queue.Notify();
            }

            _subscriptions.Continue(recovery.Queues);
            _earlier.Start();
            _services.Timers.Start();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            _lock.Dispose();
            throw new StoreOpenException($"The log in {_options.DataDirectory} cannot be read: {exception.Message}", exception);
        }
        catch (StoreOpenException)
        {
            _lock.Dispose();
            throw;
        }
    }
}
