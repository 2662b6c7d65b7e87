using PushQueue.Queues;

namespace PushQueue.Tests.Support;

/// <summary>As much of a store as delivery needs, in memory, in arrival order.</summary>
internal sealed class MemoryStore : IMessageStore
{
    private readonly object _gate = new();
    private readonly Dictionary<QueueName, Queue> _queues = [];
    private IQueueChangeListener? _listener;

    public string Epoch { get; set; } = "e1";

    public string Description => "memory";

    public Durability Durability => Durability.Memory;

    public string? UnavailableReason => null;

    public Task OpenAsync(IQueueChangeListener listener, CancellationToken cancellationToken)
    {
        _listener = listener;
        return Task.CompletedTask;
    }

    public ValueTask<BrokerResult<PutOutcome>> PutAsync(QueueName queue, NewMessage message)
    {
        MessageId id;
        lock (_gate)
        {
            var q = Of(queue);
            id = message.Id ?? MessageId.FromNumber(++q.LastNumber);
            q.Ready.AddLast(new Message
            {
                Queue = queue,
                Id = id,
                Body = message.Body,
                ContentType = message.ContentType,
                State = MessageState.Ready,
                EnqueuedAt = TimeProvider.System.GetUtcNow(),
                AvailableAt = TimeProvider.System.GetUtcNow(),
                Priority = message.Priority,
            });
        }

        _listener!.OnReady(queue);
        return new(new PutOutcome(id, false));
    }

    public async ValueTask<BrokerResult<IReadOnlyList<PutOutcome>>> PutManyAsync(QueueName queue, IReadOnlyList<NewMessage> messages)
    {
        var outcomes = new List<PutOutcome>();
        foreach (var message in messages)
        {
            outcomes.Add((await PutAsync(queue, message)).Value);
        }

        return outcomes;
    }

    public ValueTask<IReadOnlyList<Message>> BroadcastAsync(QueueName queue, int count, int bytesMax)
    {
        lock (_gate)
        {
            var q = Of(queue);
            var given = new List<Message>();
            while (given.Count < count && q.Ready.First is { } first && !q.Settings.Stopped)
            {
                q.Ready.RemoveFirst();
                var message = Copy(first.Value, offset: q.NextOffset++);
                given.Add(message);
                q.History.Enqueue(message);
                if (q.History.Count > q.Settings.HistoryMessages)
                {
                    _ = q.History.Dequeue();
                }
            }

            return new(given);
        }
    }

    public ValueTask<HistoryPage?> ReadHistoryAsync(QueueName queue, long fromOffset, int count, int bytesMax)
    {
        lock (_gate)
        {
            var q = Of(queue);
            return new(new HistoryPage([.. q.History.Where(m => m.Offset >= fromOffset).Take(count)], PositionOf(q)));
        }
    }

    public ValueTask<BrokerResult<IReadOnlyList<Lease>>> LeaseAsync(QueueName queue, LeaseRequest request)
    {
        lock (_gate)
        {
            var q = Of(queue);
            var leases = new List<Lease>();
            while (leases.Count < request.Count && q.Ready.First is { } first)
            {
                q.Ready.RemoveFirst();
                var lease = new Lease(Copy(first.Value, attempt: first.Value.Attempt + 1), Receipt.New(), null);
                q.Leased[lease.Message.Id] = lease;
                leases.Add(lease);
            }

            return new((BrokerResult<IReadOnlyList<Lease>>)leases);
        }
    }

    public ValueTask<IReadOnlyList<QueueError>> AckAsync(QueueName queue, IReadOnlyList<LeaseKey> keys)
    {
        var answers = new List<QueueError>();
        lock (_gate)
        {
            foreach (var key in keys)
            {
                answers.Add(Of(queue).Leased.Remove(key.Id) ? QueueError.None : QueueError.NotFound);
            }
        }

        foreach (var key in keys)
        {
            _listener!.OnFinished(queue, key.Id, new FinishedMessage(true, null, 1, null));
        }

        return new(answers);
    }

    public ValueTask<IReadOnlyList<QueueError>> ReleaseAsync(QueueName queue, IReadOnlyList<LeaseKey> keys, ReleaseRequest request)
    {
        lock (_gate)
        {
            var q = Of(queue);
            foreach (var key in keys.Reverse())
            {
                _ = q.Leased.Remove(key.Id, out var lease);
                q.Ready.AddFirst(Copy(lease.Message, attempt: lease.Message.Attempt - (request.CountsAsAttempt ? 0 : 1)));
            }
        }

        foreach (var key in keys)
        {
            _listener!.OnLeaseEnded(queue, key.Id, key.Receipt);
        }

        _listener!.OnReady(queue);
        return new([.. keys.Select(_ => QueueError.None)]);
    }

    public int LeasedCount(QueueName queue)
    {
        lock (_gate)
        {
            return Of(queue).Leased.Count;
        }
    }

    public ValueTask<QueueInfo?> GetQueueAsync(QueueName queue)
    {
        lock (_gate)
        {
            return new(_queues.TryGetValue(queue, out var q)
                ? new QueueInfo
                {
                    Name = queue,
                    Settings = q.Settings,
                    Ready = q.Ready.Count,
                    Position = PositionOf(q),
                    Counters = new QueueCounters(),
                }
                : null);
        }
    }

    public ValueTask<BrokerResult<QueueSettings>> UpdateSettingsAsync(QueueName queue, QueueSettingsPatch patch)
    {
        QueueSettings settings;
        lock (_gate)
        {
            settings = Of(queue).Settings = patch.ApplyTo(Of(queue).Settings);
        }

        _listener?.OnSettingsChanged(queue, settings);
        return new(settings);
    }

    public ValueTask<BrokerResult<bool>> DeleteQueueAsync(QueueName queue)
    {
        bool was;
        lock (_gate)
        {
            was = _queues.Remove(queue);
        }

        _listener!.OnDeleted(queue);
        return new(was);
    }

    public ValueTask DisposeAsync() => default;

    public ValueTask<BrokerResult<IReadOnlyList<Message>>> TakeAsync(QueueName queue, int count, bool evenWhenStopped = false) => throw new NotSupportedException();

    public ValueTask<IReadOnlyList<QueueError>> TouchAsync(QueueName queue, IReadOnlyList<LeaseKey> keys, TimeSpan timeToRun) => throw new NotSupportedException();

    public ValueTask<Message?> LookAsync(QueueName queue) => throw new NotSupportedException();

    public ValueTask<BrokerResult<MessagePage>> BrowseAsync(QueueName queue, MessageState state, string? after, int limit) => throw new NotSupportedException();

    public ValueTask<Message?> FindAsync(QueueName queue, MessageId id) => throw new NotSupportedException();

    public ValueTask<BrokerResult<bool>> CancelAsync(QueueName queue, MessageId id) => throw new NotSupportedException();

    public ValueTask<BrokerResult<bool>> RescheduleAsync(QueueName queue, MessageId id, DateTimeOffset availableAt) => throw new NotSupportedException();

    public ValueTask<BrokerResult<int>> ReplayAsync(QueueName deadLetterQueue, MessageId? id, int count) => throw new NotSupportedException();

    public ValueTask<QueuePage> ListQueuesAsync(string? after, int limit) => throw new NotSupportedException();

    private Queue Of(QueueName queue)
    {
        if (!_queues.TryGetValue(queue, out var q))
        {
            _queues[queue] = q = new Queue();
        }

        return q;
    }

    private BroadcastPosition PositionOf(Queue q) =>
        new(Epoch, q.History.TryPeek(out var first) ? first.Offset : q.NextOffset, q.NextOffset);

    private static Message Copy(Message m, long offset = 0, int attempt = 0) => new()
    {
        Queue = m.Queue,
        Id = m.Id,
        Body = m.Body,
        ContentType = m.ContentType,
        State = m.State,
        EnqueuedAt = m.EnqueuedAt,
        AvailableAt = m.AvailableAt,
        Priority = m.Priority,
        Offset = offset,
        Attempt = attempt,
    };

    private sealed class Queue
    {
        public LinkedList<Message> Ready { get; } = [];

        public Queue<Message> History { get; } = [];

        public Dictionary<MessageId, Lease> Leased { get; } = [];

        public QueueSettings Settings { get; set; } = QueueSettings.Default;

        public long NextOffset { get; set; } = 1;

        public long LastNumber { get; set; }
    }
}
