using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using PushQueue.Queues;
using PushQueue.Storage.Embedded.Log;

namespace PushQueue.Storage.Embedded;

/// <summary>
/// The store of one node: queues in memory, their history of changes in an append-only log in a folder of its own. Finds the queue, lets it
/// change its state, awaits what the answer promises, and brings in bodies that memory does not have. Holds no rule about messages itself:
/// those are <see cref="EmbeddedQueue"/>'s.
/// </summary>
internal sealed partial class EmbeddedMessageStore : IMessageStore, IQueueDirectory
{
    private readonly EmbeddedStoreOptions _options;
    private readonly ILogger _logger;
    private readonly StoreServices _services;
    private readonly ConcurrentDictionary<QueueName, EmbeddedQueue> _queues = new();
    private readonly Lock _creation = new();
    private readonly Action<Segment, long> _reportDamage;
    private StoreLock? _lock;
    private LogCleaner? _cleaner;
    private long _nextQueueNumber = 1;
    private bool _disposed;

    public EmbeddedMessageStore(EmbeddedStoreOptions options, TimeProvider time, ILoggerFactory loggers)
    {
        _options = options;
        _logger = loggers.CreateLogger<EmbeddedMessageStore>();
        _services = new StoreServices(this, time, new BodyCache(options.CacheBytesMax));
        _reportDamage = (segment, offset) => Damage.Report(_logger, segment.Path, offset, offset);
    }

    public string Description => $"embedded log in {Path.GetFullPath(_options.DataDirectory)}";

    public Durability Durability => _options.Durability;

    public string? UnavailableReason => _services.Log?.BrokenReason;

    public async Task OpenAsync(IQueueChangeListener listener, CancellationToken cancellationToken)
    {
        _services.Listener = listener;

        // Reading a large log takes seconds and blocks: a thread of its own, not one of the pool's.
        await Task.Factory.StartNew(Open, cancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default).ConfigureAwait(false);
    }

    public async ValueTask<BrokerResult<PutOutcome>> PutAsync(QueueName queue, NewMessage message)
    {
        if (RefusesPuts() is { } refusal)
        {
            return refusal;
        }

        BrokerResult<PutTicket>? result;
        while ((result = GetOrCreate(queue).Put(message)) is null)
        {
            // Deleted at that very moment: the message makes the queue anew.
        }

        if (!result.Value.Ok)
        {
            return result.Value.Failure;
        }

        var ticket = result.Value.Value;
        if (ticket.Batch is not null && Failure(await ticket.Batch.Additions.ConfigureAwait(false)) is { } failure)
        {
            return failure;
        }

        // What this put seemed to repeat was still on its way to the disk and may not have arrived.
        if (ticket is { Duplicate: true, Batch: not null } && Find(queue)?.Knows(ticket.Id) != true)
        {
            return new BrokerFailure(QueueError.DiskFull);
        }

        return new PutOutcome(ticket.Id, ticket.Duplicate);
    }

    public async ValueTask<BrokerResult<IReadOnlyList<PutOutcome>>> PutManyAsync(QueueName queue, IReadOnlyList<NewMessage> messages)
    {
        if (messages.Count == 0)
        {
            return Array.Empty<PutOutcome>();
        }

        if (RefusesPuts() is { } refusal)
        {
            return refusal;
        }

        BrokerResult<PutManyTicket>? result;
        while ((result = GetOrCreate(queue).PutMany(messages)) is null)
        {
            // Deleted at that very moment: the messages make the queue anew.
        }

        if (!result.Value.Ok)
        {
            return result.Value.Failure;
        }

        var ticket = result.Value.Value;
        if (ticket.Batch is not null && Failure(await ticket.Batch.Additions.ConfigureAwait(false)) is { } failure)
        {
            return failure;
        }

        return ticket.Outcomes;
    }

    public async ValueTask<BrokerResult<IReadOnlyList<Message>>> TakeAsync(QueueName queue, int count, bool evenWhenStopped = false)
    {
        if (Find(queue) is not { } found)
        {
            return Array.Empty<Message>();
        }

        var result = found.Take(count, evenWhenStopped);
        if (!result.Ok)
        {
            return result.Failure;
        }

        var given = result.Value;
        await given.LoadBodiesAsync(_reportDamage).ConfigureAwait(false);
        return await WrittenAsync(given.Batch).ConfigureAwait(false) is { } failure ? failure : Answer(given.Messages);
    }

    public async ValueTask<BrokerResult<IReadOnlyList<Lease>>> LeaseAsync(QueueName queue, LeaseRequest request)
    {
        if (Find(queue) is not { } found)
        {
            return Array.Empty<Lease>();
        }

        var result = found.Lease(request);
        if (!result.Ok)
        {
            return result.Failure;
        }

        var given = result.Value;
        await given.LoadBodiesAsync(_reportDamage).ConfigureAwait(false);
        return await WrittenAsync(given.Batch).ConfigureAwait(false) is { } failure ? failure : Answer(given.Leases);
    }

    public ValueTask<IReadOnlyList<QueueError>> AckAsync(QueueName queue, IReadOnlyList<LeaseKey> keys)
    {
        if (Find(queue) is not { } found)
        {
            return new(NotFound(keys.Count));
        }

        var answers = found.Ack(keys, out var batch);
        return AnswerWhenWrittenAsync(answers, batch);
    }

    public ValueTask<IReadOnlyList<QueueError>> ReleaseAsync(QueueName queue, IReadOnlyList<LeaseKey> keys, ReleaseRequest request)
    {
        if (Find(queue) is not { } found)
        {
            return new(NotFound(keys.Count));
        }

        var answers = found.Release(keys, request, out var batch);
        return AnswerWhenWrittenAsync(answers, batch);
    }

    public ValueTask<IReadOnlyList<QueueError>> TouchAsync(QueueName queue, IReadOnlyList<LeaseKey> keys, TimeSpan timeToRun)
    {
        if (Find(queue) is not { } found)
        {
            return new(NotFound(keys.Count));
        }

        var answers = found.Touch(keys, timeToRun, out var batch);
        return AnswerWhenWrittenAsync(answers, batch);
    }

    public async ValueTask<IReadOnlyList<Message>> BroadcastAsync(QueueName queue, int count, int bytesMax)
    {
        if (Find(queue) is not { } found)
        {
            return [];
        }

        var given = found.Broadcast(count, bytesMax);
        if (given.Batch is null)
        {
            return [];
        }

        await given.LoadBodiesAsync(_reportDamage).ConfigureAwait(false);

        // Without the proof on disk nobody may see an offset: a broken log stops the broadcast.
        return await given.Batch.Synced.ConfigureAwait(false) == CommitOutcome.Committed ? given.Messages : [];
    }

    public async ValueTask<HistoryPage?> ReadHistoryAsync(QueueName queue, long fromOffset, int count, int bytesMax)
    {
        if (Find(queue) is not { } found)
        {
            return null;
        }

        var given = found.ReadHistory(fromOffset, count, bytesMax, out var position);
        await given.LoadBodiesAsync(_reportDamage).ConfigureAwait(false);
        return new HistoryPage(given.Messages, position);
    }

    public ValueTask<Message?> LookAsync(QueueName queue) => FirstAsync(Find(queue)?.Look());

    public ValueTask<Message?> FindAsync(QueueName queue, MessageId id) => FirstAsync(Find(queue)?.Find(id));

    public async ValueTask<BrokerResult<MessagePage>> BrowseAsync(QueueName queue, MessageState state, string? after, int limit)
    {
        string? next = null;
        var given = Find(queue) is { } found ? found.Browse(state, after, limit, out next) : EmbeddedQueue.BrowseNothing(after);
        if (given is null)
        {
            return new BrokerFailure(QueueError.BadOption, "'after' must be the 'next' of an earlier page.");
        }

        await given.LoadBodiesAsync(_reportDamage).ConfigureAwait(false);
        return new MessagePage(given.Messages, next);
    }

    public async ValueTask<BrokerResult<bool>> CancelAsync(QueueName queue, MessageId id)
    {
        if (Find(queue) is not { } found || !found.Cancel(id, out var batch))
        {
            return false;
        }

        return await SyncedAsync(batch).ConfigureAwait(false) is { } failure ? failure : true;
    }

    public async ValueTask<BrokerResult<bool>> RescheduleAsync(QueueName queue, MessageId id, DateTimeOffset availableAt)
    {
        if (Find(queue) is not { } found || !found.Reschedule(id, availableAt, out var batch))
        {
            return false;
        }

        return await SyncedAsync(batch).ConfigureAwait(false) is { } failure ? failure : true;
    }

    public async ValueTask<BrokerResult<int>> ReplayAsync(QueueName deadLetterQueue, MessageId? id, int count)
    {
        if (!deadLetterQueue.IsDeadLetter)
        {
            return new BrokerFailure(QueueError.BadOption, $"'{deadLetterQueue}' is no dead-letter queue; its name would end in '{QueueName.DeadSuffix}'.");
        }

        if (Find(deadLetterQueue) is not { } dead)
        {
            return id is null ? 0 : new BrokerFailure(QueueError.NotFound, $"No message '{id}' rests in '{deadLetterQueue}'.");
        }

        BrokerResult<int>? result;
        LogBatch? batch;
        while ((result = GetOrCreate(deadLetterQueue.Source).ReplayFrom(dead, id, count, out batch)) is null)
        {
            if (Find(deadLetterQueue) is not { } again)
            {
                return 0;
            }

            dead = again;
        }

        return await SyncedAsync(batch).ConfigureAwait(false) is { } failure ? failure : result.Value;
    }

    public async ValueTask<BrokerResult<bool>> DeleteQueueAsync(QueueName queue)
    {
        if (Find(queue) is not { } found)
        {
            return false;
        }

        // Out of the directory before it is deleted: nobody can find a queue that is gone.
        _queues.TryRemove(new KeyValuePair<QueueName, EmbeddedQueue>(queue, found));
        if (!found.Delete(out var batch))
        {
            return false;
        }

        return await SyncedAsync(batch).ConfigureAwait(false) is { } failure ? failure : true;
    }

    public ValueTask<QueueInfo?> GetQueueAsync(QueueName queue) => new(Find(queue)?.Info());

    public ValueTask<QueuePage> ListQueuesAsync(string? after, int limit)
    {
        var names = _queues.Keys.Select(static name => name.Value).ToArray();
        Array.Sort(names, StringComparer.Ordinal);
        var from = 0;
        if (after is not null)
        {
            from = Array.BinarySearch(names, after, StringComparer.Ordinal);
            from = from < 0 ? ~from : from + 1;
        }

        var page = new List<QueueInfo>();
        var at = from;
        for (; at < names.Length && page.Count < limit; at++)
        {
            if (Find(QueueName.Parse(names[at]))?.Info() is { } info)
            {
                page.Add(info);
            }
        }

        return new(new QueuePage(page, names.Length, at < names.Length && page.Count > 0 ? page[^1].Name.Value : null));
    }

    public async ValueTask<BrokerResult<QueueSettings>> UpdateSettingsAsync(QueueName queue, QueueSettingsPatch patch)
    {
        if (UnavailableReason is { } reason)
        {
            return new BrokerFailure(QueueError.StoreUnavailable, reason);
        }

        QueueSettings? settings;
        LogBatch? batch;
        while ((settings = GetOrCreate(queue).UpdateSettings(patch, out batch)) is null)
        {
            // Deleted at that very moment: the settings make the queue anew.
        }

        return await SyncedAsync(batch).ConfigureAwait(false) is { } failure ? failure : settings;
    }

    public EmbeddedQueue? Find(QueueName name) => _queues.GetValueOrDefault(name);

    public EmbeddedQueue GetOrCreate(QueueName name)
    {
        if (_queues.TryGetValue(name, out var existing))
        {
            return existing;
        }

        lock (_creation)
        {
            if (_queues.TryGetValue(name, out existing))
            {
                return existing;
            }

            var queue = new EmbeddedQueue(_services, _nextQueueNumber++, name, EmbeddedQueue.NewEpoch(), QueueSettings.Default);
            queue.RecordState();
            _queues[name] = queue;
            return queue;
        }
    }

    /// <summary>Says that the stop was orderly, writes everything, and lets the folder go.</summary>
    public ValueTask DisposeAsync()
    {
        if (_disposed)
        {
            return ValueTask.CompletedTask;
        }

        _disposed = true;
        _services.Timers.Dispose();
        _cleaner?.Dispose();
        if (_services.Log is { } log)
        {
            foreach (var queue in _queues.Values)
            {
                queue.RecordState();
            }

            using (var appender = log.BeginAppend())
            {
                appender.CleanStop();
            }

            log.Dispose();
        }

        _lock?.Dispose();
        return ValueTask.CompletedTask;
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
            }

            _nextQueueNumber = recovery.NextQueueNumber;
            _services.Log = new MessageLog(_options, recovery.Segments, recovery.NextSegmentNumber, _logger);
            _cleaner = new LogCleaner(_services, () => [.. _queues.Values], () => Volatile.Read(ref _nextQueueNumber), _logger);
            _services.Cleaner = _cleaner;
            _services.Log.SegmentBegun = _cleaner.WantSnapshot;
            _services.Log.Start();
            _cleaner.Start();
            foreach (var queue in recovery.Queues)
            {
                queue.EndOrphanedLeases();
            }
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

    private BrokerFailure? RefusesPuts()
    {
        if (UnavailableReason is { } reason)
        {
            return new BrokerFailure(QueueError.StoreUnavailable, reason);
        }

        return _services.Log.DiskFull ? new BrokerFailure(QueueError.DiskFull) : null;
    }

    private BrokerFailure? Failure(CommitOutcome outcome) => outcome switch
    {
        CommitOutcome.Committed => null,
        CommitOutcome.DiskFull => new BrokerFailure(QueueError.DiskFull),
        _ => new BrokerFailure(QueueError.StoreUnavailable, UnavailableReason),
    };

    private async ValueTask<BrokerFailure?> WrittenAsync(LogBatch? batch) =>
        batch is null ? null : Failure(await batch.Written.ConfigureAwait(false));

    private async ValueTask<BrokerFailure?> SyncedAsync(LogBatch? batch) =>
        batch is null ? null : Failure(await batch.Synced.ConfigureAwait(false));

    private async ValueTask<IReadOnlyList<QueueError>> AnswerWhenWrittenAsync(QueueError[] answers, LogBatch? batch)
    {
        if (await WrittenAsync(batch).ConfigureAwait(false) is { } failure)
        {
            Array.Fill(answers, failure.Error);
        }

        return answers;
    }

    private async ValueTask<Message?> FirstAsync(GivenMessages? given)
    {
        if (given is null)
        {
            return null;
        }

        await given.LoadBodiesAsync(_reportDamage).ConfigureAwait(false);
        return given.Count > 0 ? given.Messages[0] : null;
    }

    private static BrokerResult<IReadOnlyList<T>> Answer<T>(IReadOnlyList<T> list) => BrokerResult<IReadOnlyList<T>>.Success(list);

    private static QueueError[] NotFound(int count)
    {
        var answers = new QueueError[count];
        Array.Fill(answers, QueueError.NotFound);
        return answers;
    }
}
