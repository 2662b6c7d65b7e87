using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using PushQueue.Client;
using PushQueue.Delivery;
using PushQueue.Diagnostics;
using PushQueue.Queues;
using PushQueue.Security;
using PushQueue.Transports;
using PushQueue.Transports.Json;
using PushQueue.Transports.Operations;

namespace PushQueue.InProcess;

/// <summary>Messages where they rest, queues, settings and the node, for the application that hosts them.</summary>
internal sealed class InProcessAdmin(
    OperationExecutor operations,
    IMessageBroker broker,
    QueueRates rates,
    Dispatcher dispatcher,
    ClusterAnswers cluster,
    NodeStatistics statistics,
    TimeProvider time)
{
    private const int PageMax = 1000;

    public async IAsyncEnumerable<Client.Message> BrowseAsync(
        string queue, string state, int pageSize, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var name = Refusals.Queue(queue);
        Refusals.Throw(OptionValues.Integer("limit", pageSize.ToString(CultureInfo.InvariantCulture), 1, PageMax, out var limit));
        Refusals.Throw(MessageStates.Read(state, out var wanted));
        string? after = null;
        do
        {
            cancellationToken.ThrowIfCancellationRequested();
            var page = Refusals.Value(await Refusals.GuardAsync(operations.BrowseAsync(name, wanted, after, limit)));
            foreach (var message in page.Messages)
            {
                yield return MessageMapping.Resting(message, wanted);
            }

            after = page.Next;
        }
        while (after is not null);
    }

    public async Task<Client.Message?> FindAsync(string queue, string id)
    {
        var found = await Refusals.GuardAsync(operations.FindAsync(Refusals.Queue(queue), Refusals.Id(id)));
        return found.Problem is null
            ? MessageMapping.Resting(found.Value!, found.Value!.State)
            : NullIfNotFound<Client.Message>(found.Problem);
    }

    public async Task<bool> CancelAsync(string queue, string id) =>
        IsFound(await Refusals.GuardAsync(operations.CancelAsync(Refusals.Queue(queue), Refusals.Id(id))));

    public Task RescheduleAsync(string queue, string id, TimeSpan delay)
    {
        Refusals.Throw(OptionValues.Duration("delay", GivenOptions.Text(delay), TimeSpan.Zero, Duration.Longest, out var wait));
        return MoveAsync(queue, id, time.GetUtcNow() + wait);
    }

    public Task RescheduleAsync(string queue, string id, DateTimeOffset at)
    {
        Refusals.Throw(OptionValues.Time("at", at.ToString("O", CultureInfo.InvariantCulture), time.GetUtcNow(), out var wanted));
        return MoveAsync(queue, id, wanted);
    }

    public async Task<long> ReplayAsync(string queue, string? id, int? count, CancellationToken cancellationToken)
    {
        var name = Refusals.Queue(queue);
        var request = new ReplayRequest(id is null ? null : Refusals.Id(id));
        if (count is { } most)
        {
            Refusals.Throw(OptionValues.Integer("count", most.ToString(CultureInfo.InvariantCulture), 1, int.MaxValue, out most));
            request = request with { Count = most };
        }

        var deadLetters = name.IsDeadLetter ? name : name.DeadLetter;
        return Refusals.Value(await Refusals.GuardAsync(broker.ReplayAsync(deadLetters, request, cancellationToken))).Replayed;
    }

    public async IAsyncEnumerable<Client.QueueInfo> ListQueuesAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string? after = null;
        do
        {
            cancellationToken.ThrowIfCancellationRequested();
            var page = await Refusals.GuardAsync(broker.ListQueuesAsync(after, PageMax));
            var elsewhere = await Refusals.GuardAsync(cluster.ConsumerCountsAsync());
            foreach (var info in page.Queues)
            {
                yield return Show(info, elsewhere);
            }

            after = page.Next;
        }
        while (after is not null);
    }

    public async Task<Client.QueueInfo?> GetQueueAsync(string queue) =>
        await Refusals.GuardAsync(broker.GetQueueAsync(Refusals.Queue(queue))) is { } info
            ? Show(info, await Refusals.GuardAsync(cluster.ConsumerCountsAsync())) with
            {
                Subscribers = [.. (await Refusals.GuardAsync(broker.SubscribersAsync(info.Name))).Select(static queue => queue.Value)],
            }
            : null;

    public async IAsyncEnumerable<Client.KeyInfo> ListKeysAsync(
        string queue, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var name = Refusals.Queue(queue);
        string? after = null;
        do
        {
            cancellationToken.ThrowIfCancellationRequested();
            var (keys, next) = await Refusals.GuardAsync(operations.ListKeysAsync(name, after, PageMax));
            var now = time.GetUtcNow();
            foreach (var key in keys)
            {
                yield return Show(KeyContract.Of(key, now));
            }

            after = next;
        }
        while (after is not null);
    }

    public async Task<long> PurgeAsync(string queue)
    {
        var purged = await Refusals.GuardAsync(operations.PurgeAsync(Refusals.Queue(queue)));
        Refusals.Throw(purged.Problem);
        return purged.Value;
    }

    public async Task DeleteQueueAsync(string queue) =>
        _ = Refusals.Value(await Refusals.GuardAsync(broker.DeleteQueueAsync(Refusals.Queue(queue))));

    public async Task<Client.QueueSettings> GetSettingsAsync(string queue)
    {
        var name = Refusals.Queue(queue);
        return Show(name, await Refusals.GuardAsync(operations.SettingsAsync(name)));
    }

    public async Task<Client.QueueSettings> ChangeSettingsAsync(
        string queue, QueueSettingsChange change)
    {
        ArgumentNullException.ThrowIfNull(change);
        var name = Refusals.Queue(queue);
        var changed = await Refusals.GuardAsync(operations.ChangeSettingsAsync(name, Read(change), Caller.Host));
        Refusals.Throw(changed.Problem);
        return Show(name, changed.Value!);
    }

    public async Task<IReadOnlyList<ConsumerInfo>> GetConsumersAsync(string queue) =>
        [.. (await Refusals.GuardAsync(cluster.ConsumersAsync(Refusals.Queue(queue)))).Select(Show)];

    public async Task<WorkerList> GetWorkersAsync() => new()
    {
        Workers = [.. (await Refusals.GuardAsync(cluster.WorkersAsync())).Select(Show)],
        Consumers = [.. (await Refusals.GuardAsync(cluster.ConsumersAsync(queue: null))).Select(Show)],
    };

    public async Task<NodeStats> GetStatsAsync()
    {
        var stats = StatsContract.Of(await Refusals.GuardAsync(statistics.TakeAsync()), []);
        return new NodeStats
        {
            Node = new NodeInfo
            {
                Version = stats.Node.Version,
                UptimeSeconds = stats.Node.UptimeSeconds,
                Store = stats.Node.Store,
                Durability = stats.Node.Durability,
                WaitingTakes = stats.Node.WaitingTakes,
                Workers = stats.Node.Workers,
                MemoryBytes = stats.Node.MemoryBytes,
            },
            Queues = stats.Queues,
            Ready = stats.Ready,
            Delayed = stats.Delayed,
            Leased = stats.Leased,
            History = stats.History,
            Bytes = stats.Bytes,
            PutPerSecond = stats.PutPerSecond,
            DeliveredPerSecond = stats.DeliveredPerSecond,
            Counters = Show(stats.Counters),
        };
    }

    private async Task MoveAsync(string queue, string id, DateTimeOffset at) =>
        Refusals.Throw(await Refusals.GuardAsync(operations.RescheduleAsync(Refusals.Queue(queue), Refusals.Id(id), at)));

    private static bool IsFound(Problem? problem)
    {
        if (problem is not null && problem.Type != ProblemType.NotFound)
        {
            throw Refusals.Of(problem);
        }

        return problem is null;
    }

    private static T? NullIfNotFound<T>(Problem problem)
        where T : class => problem.Type == ProblemType.NotFound ? null : throw Refusals.Of(problem);

    private static QueueSettingsPatch Read(QueueSettingsChange change)
    {
        var given = default(GivenOptions);
        given.Add("policy", change.Policy);
        given.Add("status", change.Status);
        given.Add("ttr", change.Ttr);
        given.Add("maxAttempts", change.MaxAttempts);
        given.Add("retryDelay", change.RetryDelay);
        given.Add("dedupWindow", change.DedupWindow);
        given.Add("maxMessages", change.MaxMessages?.ToString(CultureInfo.InvariantCulture));
        given.Add("maxBytes", change.MaxBytes?.ToString(CultureInfo.InvariantCulture));
        given.Add("overflow", change.Overflow);
        given.Add("history.messages", change.History?.Messages?.ToString(CultureInfo.InvariantCulture));
        given.Add("history.perKey", change.History?.PerKey is { } perKey ? (perKey ? "true" : "false") : null);
        given.Add("history.age", change.History?.Age);
        given.Add("deadLetter", change.DeadLetter is { } deadLetter ? (deadLetter ? "true" : "false") : null);
        given.Add("expires", change.Expires);
        given.Add("keyInFlight", change.KeyInFlight?.ToString(CultureInfo.InvariantCulture));
        given.Add("fair", change.Fair is { } fair ? (fair ? "true" : "false") : null);
        var patch = new QueueSettingsPatch();
        while (given.Next(out var name, out var value))
        {
            Refusals.Throw(SettingsJson.Set(name.ToString(), value, ref patch));
        }

        if (change.Subscriptions is { } subscriptions)
        {
            var json = JsonSerializer.SerializeToUtf8Bytes(subscriptions);
            var reader = new Utf8JsonReader(json, JsonBody.ReaderOptions);
            reader.Read();
            Refusals.Throw(SubscriptionsJson.Read(ref reader, json, ref patch));
        }

        return patch;
    }

    private static Client.QueueSettings Show(QueueName queue, Queues.QueueSettings settings)
    {
        var shown = SettingsContract.Of(queue, settings);
        return new Client.QueueSettings
        {
            Queue = shown.Queue,
            Policy = shown.Policy,
            Status = shown.Status,
            Ttr = shown.Ttr,
            MaxAttempts = shown.MaxAttempts,
            RetryDelay = shown.RetryDelay,
            DedupWindow = shown.DedupWindow,
            MaxMessages = shown.MaxMessages,
            MaxBytes = shown.MaxBytes,
            Overflow = shown.Overflow,
            History = new HistorySettings { Messages = settings.HistoryMessages, Age = shown.History.Age, PerKey = shown.History.PerKey },
            DeadLetter = shown.DeadLetter,
            Expires = shown.Expires,
            KeyInFlight = shown.KeyInFlight,
            Fair = shown.Fair,
            Subscriptions = [.. settings.Subscriptions.Entries.Select(Show)],
        };
    }

    private Client.QueueInfo Show(Queues.QueueInfo info, IReadOnlyDictionary<string, int> elsewhere)
    {
        var consumers = dispatcher.CountConsumers(info.Name) + elsewhere.GetValueOrDefault(info.Name.Value);
        var shown = QueueContract.Of(info, rates.Of(info.Name), consumers, time.GetUtcNow());
        return new Client.QueueInfo
        {
            Queue = shown.Queue,
            Policy = shown.Policy,
            Status = shown.Status,
            Ready = shown.Ready,
            Delayed = shown.Delayed,
            Leased = shown.Leased,
            History = shown.History,
            Keys = shown.Keys,
            BlockedKeys = shown.BlockedKeys,
            Bytes = shown.Bytes,
            Consumers = shown.Consumers,
            OldestAgeSeconds = shown.OldestAgeSeconds,
            NextDelayedAt = shown.NextDelayedAt,
            PutPerSecond = shown.PutPerSecond,
            DeliveredPerSecond = shown.DeliveredPerSecond,
            Counters = Show(shown.Counters),
            Epoch = shown.Epoch,
            FirstOffset = shown.FirstOffset,
            NextOffset = shown.NextOffset,
            Copying = shown.Copying,
        };
    }

    private static Client.QueueSubscription Show(Queues.QueueSubscription entry) => new(entry.To, entry.Where?.Conditions.ToDictionary(
        static condition => condition.Split('=')[0],
        static condition => condition.Split('=', 2) is [_, var value] ? value : null,
        StringComparer.Ordinal))
    {
        From = entry.FromEarliest ? "earliest" : null,
    };

    private static Client.KeyInfo Show(KeyContract key) => new()
    {
        Key = key.Key,
        Ready = key.Ready,
        Delayed = key.Delayed,
        InFlight = key.InFlight,
        Blocked = key.Blocked,
        OldestAgeSeconds = key.OldestAgeSeconds,
    };

    private static Client.QueueCounters Show(CountersContract counters) => new()
    {
        Put = counters.Put,
        Delivered = counters.Delivered,
        Acked = counters.Acked,
        Failed = counters.Failed,
        Cancelled = counters.Cancelled,
        Expired = counters.Expired,
        Dropped = counters.Dropped,
        DeadLettered = counters.DeadLettered,
        Lost = counters.Lost,
    };

    private static Client.WorkerInfo Show(WorkerContract worker) => new()
    {
        Worker = worker.Worker,
        Queues = worker.Queues,
        Processed = worker.Processed,
        Failed = worker.Failed,
        Since = worker.Since,
        LastSeen = worker.LastSeen,
    };

    private static ConsumerInfo Show(ConsumerContract consumer) => new()
    {
        Id = consumer.Id,
        Queue = consumer.Queue,
        Transport = consumer.Transport,
        RemoteAddress = consumer.RemoteAddress,
        Worker = consumer.Worker,
        Who = MessageMapping.Who(consumer.Who),
        Ack = consumer.Ack,
        Prefetch = consumer.Prefetch,
        Credit = consumer.Credit,
        InFlight = consumer.InFlight,
        Delivered = consumer.Delivered,
        Acked = consumer.Acked,
        Failed = consumer.Failed,
        Lag = consumer.Lag,
        WaitingBytes = consumer.WaitingBytes,
        Since = consumer.Since,
    };
}
