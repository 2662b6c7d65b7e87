using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.Logging;
using PushQueue.Client;
using PushQueue.Client.Handlers;
using PushQueue.Queues;
using PushQueue.Security;
using PushQueue.Transports;
using PushQueue.Transports.Operations;
using PushQueue.Transports.Watching;

namespace PushQueue.InProcess;

/// <summary>
/// <see cref="IPushQueueClient"/> for the application that hosts the queue: each call is one call of the operation executor, without HTTP
/// and without JSON in between. Options pass the readers of the other transports, so that every front door refuses the same.
/// </summary>
internal sealed class InProcessClient(
    OperationExecutor operations,
    InProcessConsumers consumers,
    InProcessAdmin admin,
    WorkerRegistry workers,
    ClusterAnswers cluster,
    PresenceWatch presence,
    InProcessSurroundings surroundings) : IPushQueueClient, IClientSurroundings
{
    private readonly InProcessLeases _leases = new(operations, surroundings.Time);

    public ILoggerFactory? LoggerFactory => surroundings.Loggers;

    public TimeProvider TimeProvider => surroundings.Time;

    public async Task<Client.PutResult> PutAsync(string queue, PutMessage message, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(message);
        cancellationToken.ThrowIfCancellationRequested();
        var name = Refusals.Queue(queue);
        var put = await operations.PutAsync(name, Read(message, out var wait), wait, Caller.Host, cancellationToken);
        Refusals.Throw(put.Problem);
        var (outcome, end, gone) = put.Put;
        return new Client.PutResult(
            queue, outcome.Id.ToString(), operations.Durability, outcome.Duplicate, wait is null ? null : end is not null, gone,
            end?.Worker, end?.Attempts, outcome.Copies);
    }

    public async Task<PutManyResult> PutManyAsync(
        string queue, IEnumerable<PutMessage> messages, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        cancellationToken.ThrowIfCancellationRequested();
        var name = Refusals.Queue(queue);
        var all = new List<NewMessage>();
        foreach (var message in messages)
        {
            all.Add(Read(message, out var wait));
            if (wait is not null)
            {
                throw new ArgumentException("WaitForAck is for a single put.", nameof(messages));
            }
        }

        if (all.Count == 0)
        {
            return new PutManyResult(queue, [], "");
        }

        var put = await operations.PutManyAsync(name, all);
        Refusals.Throw(put.Problem);
        var duplicates = put.Value!.Where(static outcome => outcome.Duplicate).Select(static outcome => outcome.Id.ToString()).ToArray();
        return new PutManyResult(
            queue, [.. put.Value!.Select(static outcome => outcome.Id.ToString())], operations.Durability,
            duplicates.Length > 0 ? duplicates : null, put.Value!.Sum(static outcome => outcome.Copies));
    }

    public Task<PutManyResult> PutManyAsync<T>(
        string queue, IEnumerable<T> values, JsonTypeInfo<T> type, Client.PutOptions? options = null,
        CancellationToken cancellationToken = default) =>
        options is { WaitForAck: not null } or { Id: not null } or { UniqueKey: not null }
            ? throw new ArgumentException("Id, UniqueKey and WaitForAck belong to one message.", nameof(options))
            : PutManyAsync(queue, values.Select(value => PutMessage.Json(value, type, options)), cancellationToken);

    public async Task<Client.Message?> TakeAsync(
        string queue, TimeSpan? wait = null, string? worker = null, IReadOnlyList<string>? where = null,
        CancellationToken cancellationToken = default) =>
        await TakeAsync(queue, Read(1, wait, timeToRun: null, worker, where), cancellationToken) is [var message] ? message : null;

    public async Task<Client.Message?> LeaseAsync(
        string queue, TimeSpan timeToRun, TimeSpan? wait = null, string? worker = null, IReadOnlyList<string>? where = null,
        CancellationToken cancellationToken = default) =>
        await LeaseAsync(queue, Read(1, wait, timeToRun, worker, where), cancellationToken) is [var message] ? message : null;

    public Task<IReadOnlyList<Client.Message>> TakeManyAsync(
        string queue, int count, TimeSpan? wait = null, string? worker = null, IReadOnlyList<string>? where = null,
        CancellationToken cancellationToken = default) =>
        TakeAsync(queue, Read(count, wait, timeToRun: null, worker, where), cancellationToken);

    public Task<IReadOnlyList<Client.Message>> LeaseManyAsync(
        string queue, int count, TimeSpan timeToRun, TimeSpan? wait = null, string? worker = null, IReadOnlyList<string>? where = null,
        CancellationToken cancellationToken = default) =>
        LeaseAsync(queue, Read(count, wait, timeToRun, worker, where), cancellationToken);

    public Task AckAsync(string queue, string id, string receipt, CancellationToken cancellationToken = default) =>
        _leases.SettleAsync(queue, id, receipt, Settlement.Ack, default, cancellationToken);

    public Task ReleaseAsync(
        string queue, string id, string receipt, TimeSpan? delay = null, string? error = null,
        CancellationToken cancellationToken = default)
    {
        var given = default(GivenOptions);
        given.Add("delay", delay);
        given.Add("error", error);
        return _leases.SettleAsync(queue, id, receipt, Settlement.Release, given, cancellationToken);
    }

    public Task ReleaseUnstartedAsync(
        string queue, string id, string receipt, TimeSpan? delay = null, CancellationToken cancellationToken = default)
    {
        var given = default(GivenOptions);
        given.Add("delay", delay);
        given.Add("unstarted", "true");
        return _leases.SettleAsync(queue, id, receipt, Settlement.Release, given, cancellationToken);
    }

    public Task DeadLetterAsync(
        string queue, string id, string receipt, string? error = null, CancellationToken cancellationToken = default)
    {
        var given = default(GivenOptions);
        given.Add("deadLetter", "true");
        given.Add("error", error);
        return _leases.SettleAsync(queue, id, receipt, Settlement.Release, given, cancellationToken);
    }

    public Task TouchAsync(
        string queue, string id, string receipt, TimeSpan? timeToRun = null, CancellationToken cancellationToken = default)
    {
        var given = default(GivenOptions);
        given.Add("ttr", timeToRun);
        return _leases.SettleAsync(queue, id, receipt, Settlement.Touch, given, cancellationToken);
    }

    public async Task<IReadOnlyList<string>> AckManyAsync(
        string queue, IEnumerable<Client.Message> messages, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        cancellationToken.ThrowIfCancellationRequested();
        var keys = new List<Queues.LeaseKey>();
        foreach (var message in messages)
        {
            Refusals.Throw(OptionValues.Receipt(message.Receipt ?? "", out var receipt));
            keys.Add(new Queues.LeaseKey(Refusals.Id(message.Id), receipt));
        }

        if (keys.Count == 0)
        {
            return [];
        }

        var errors = await Refusals.GuardAsync(operations.SettleAsync(Settlement.Ack, Refusals.Queue(queue), keys, default));
        return [.. keys.Where((_, index) => errors[index] != QueueError.None).Select(static key => key.Id.ToString())];
    }

    public MessageStream ConsumeAsync(string queue, ConsumeOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(queue);
        return new InProcessStream(consumers, surroundings, queue, selection: null, options ?? new ConsumeOptions(), cancellationToken);
    }

    public MessageStream ConsumeManyAsync(
        IEnumerable<string> queues, IEnumerable<string> patterns, ConsumeOptions? options = null,
        CancellationToken cancellationToken = default) => new InProcessStream(
            consumers, surroundings, "", Client.Streaming.QueueSelection.Of(queues, patterns), options ?? new ConsumeOptions(),
            cancellationToken);

    public Task RegisterWorkerAsync(string queue, string worker, CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return Task.FromCanceled(cancellationToken);
        }

        workers.Seen(Refusals.Queue(queue), Worker(worker));
        return Task.CompletedTask;
    }

    public Task ForgetWorkerAsync(string queue, string worker, CancellationToken cancellationToken = default) =>
        RunAsync(() => Refusals.GuardAsync(cluster.ForgetAsync(Refusals.Queue(queue), Worker(worker))), cancellationToken);

    public IAsyncEnumerable<Client.Message> BrowseAsync(
        string queue, string state = "ready", int pageSize = 100, CancellationToken cancellationToken = default) =>
        admin.BrowseAsync(queue, state, pageSize, cancellationToken);

    public Task<Client.Message?> FindAsync(string queue, string id, CancellationToken cancellationToken = default) =>
        RunAsync(() => admin.FindAsync(queue, id), cancellationToken);

    public Task<bool> CancelAsync(string queue, string id, CancellationToken cancellationToken = default) =>
        RunAsync(() => admin.CancelAsync(queue, id), cancellationToken);

    public Task RescheduleAsync(string queue, string id, TimeSpan delay, CancellationToken cancellationToken = default) =>
        RunAsync(() => admin.RescheduleAsync(queue, id, delay), cancellationToken);

    public Task RescheduleAsync(string queue, string id, DateTimeOffset at, CancellationToken cancellationToken = default) =>
        RunAsync(() => admin.RescheduleAsync(queue, id, at), cancellationToken);

    public Task<long> ReplayAsync(string queue, string? id = null, int? count = null, CancellationToken cancellationToken = default) =>
        admin.ReplayAsync(queue, id, count, cancellationToken);

    public IAsyncEnumerable<Client.QueueInfo> ListQueuesAsync(CancellationToken cancellationToken = default) =>
        admin.ListQueuesAsync(cancellationToken);

    public Task<Client.QueueInfo?> GetQueueAsync(string queue, CancellationToken cancellationToken = default) =>
        RunAsync(() => admin.GetQueueAsync(queue), cancellationToken);

    public IAsyncEnumerable<Client.KeyInfo> ListKeysAsync(string queue, CancellationToken cancellationToken = default) =>
        admin.ListKeysAsync(queue, cancellationToken);

    public Task<long> PurgeAsync(string queue, CancellationToken cancellationToken = default) =>
        RunAsync(() => admin.PurgeAsync(queue), cancellationToken);

    public Task DeleteQueueAsync(string queue, CancellationToken cancellationToken = default) =>
        RunAsync(() => admin.DeleteQueueAsync(queue), cancellationToken);

    public Task<Client.QueueSettings> GetSettingsAsync(string queue, CancellationToken cancellationToken = default) =>
        RunAsync(() => admin.GetSettingsAsync(queue), cancellationToken);

    public Task<Client.QueueSettings> ChangeSettingsAsync(
        string queue, QueueSettingsChange change, CancellationToken cancellationToken = default) =>
        RunAsync(() => admin.ChangeSettingsAsync(queue, change), cancellationToken);

    public Task<IReadOnlyList<ConsumerInfo>> GetConsumersAsync(string queue, CancellationToken cancellationToken = default) =>
        RunAsync(() => admin.GetConsumersAsync(queue), cancellationToken);

    public async Task<PresenceInfo> GetPresenceAsync(string queue, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var shown = await Refusals.GuardAsync(presence.ListAsync(Refusals.Queue(queue)));
        return new PresenceInfo
        {
            Queue = shown.Queue,
            Count = shown.Count ?? 0,
            Consumers = [.. (shown.Consumers ?? []).Select(static consumer => new PresentConsumer
            {
                Id = consumer.Id,
                Transport = consumer.Transport,
                Worker = consumer.Worker,
                Who = MessageMapping.Who(consumer.Who),
                Since = consumer.Since,
            })],
        };
    }

    public Task<WorkerList> GetWorkersAsync(CancellationToken cancellationToken = default) =>
        RunAsync(admin.GetWorkersAsync, cancellationToken);

    public Task<NodeStats> GetStatsAsync(CancellationToken cancellationToken = default) =>
        RunAsync(admin.GetStatsAsync, cancellationToken);

    private NewMessage Read(PutMessage message, out TimeSpan? wait)
    {
        // The store keeps the body. The program may use its own buffer again.
        var body = message.IsConstant ? message.Body : message.Body.ToArray();
        wait = null;
        if (message.Options is not { } options)
        {
            return new NewMessage { Body = body, ContentType = ContentType(message) };
        }

        var given = default(GivenOptions);
        given.Add("id", options.Id);
        given.Add("delay", options.Delay);
        given.Add("at", options.At);
        given.Add("ttl", options.TimeToLive);
        given.Add("priority", options.Priority);
        given.Add("unique", options.UniqueKey);
        given.Add("key", options.Key);
        given.Add("maxAttempts", options.MaxAttempts);
        given.Add("retryDelay", options.RetryDelay);
        given.Add("policy", options.Policy);
        given.Add("waitForAck", options.WaitForAck);
        Refusals.Throw(Transports.Operations.PutOptions.Read(
            ref given, Transports.Operations.PutOptions.NamesOfOne, surroundings.Time, out var read, out wait));
        read.Headers = Headers(options.Headers);
        return read.ToMessage(body, ContentType(message));
    }

    private static string ContentType(PutMessage message)
    {
        Refusals.Throw(ContentTypes.Check(message.ContentType, out var contentType));
        return contentType;
    }

    /// <summary>Starts an operation that is too short to be cancelled once it runs.</summary>
    private static async Task<T> RunAsync<T>(Func<Task<T>> operation, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return await operation();
    }

    private static async Task RunAsync(Func<Task> operation, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        await operation();
    }

    private async Task<IReadOnlyList<Client.Message>> TakeAsync(string queue, TakeRequest request, CancellationToken cancellationToken)
    {
        var taken = await Refusals.GuardAsync(operations.TakeAsync(Refusals.Queue(queue), request, Caller.Host, cancellationToken));
        Refusals.Throw(taken.Problem);
        return [.. taken.Value!.Select(MessageMapping.Taken)];
    }

    private async Task<IReadOnlyList<Client.Message>> LeaseAsync(string queue, TakeRequest request, CancellationToken cancellationToken)
    {
        var leased = await Refusals.GuardAsync(operations.LeaseAsync(Refusals.Queue(queue), request, Caller.Host, cancellationToken));
        Refusals.Throw(leased.Problem);
        return [.. leased.Value!.Select(lease => MessageMapping.Leased(lease, _leases))];
    }

    private static TakeRequest Read(int count, TimeSpan? wait, TimeSpan? timeToRun, string? worker, IReadOnlyList<string>? where)
    {
        var given = default(GivenOptions);
        given.Add("count", count);
        given.Add("wait", wait);
        given.Add("ttr", timeToRun);
        given.Add("worker", worker);
        foreach (var condition in where ?? [])
        {
            given.Add("where", condition);
        }

        var request = new TakeRequest();
        Refusals.Throw(TakeOptions.Read(ref given, "count, wait, ttr, worker, where", ref request));
        return request;
    }

    /// <summary>The headers of a put; null for none.</summary>
    private static MessageHeaders? Headers(IReadOnlyDictionary<string, string>? given)
    {
        var builder = new MessageHeadersBuilder();
        foreach (var (name, value) in given ?? System.Collections.ObjectModel.ReadOnlyDictionary<string, string>.Empty)
        {
            if (builder.Add(name, value) is { } whyNot)
            {
                throw Refusals.Of(Problem.BadOption(whyNot));
            }
        }

        return builder.Build();
    }

    private static string Worker(string worker)
    {
        Refusals.Throw(OptionValues.Text("worker", worker, out var name));
        return name.Length > 0 ? name : throw Refusals.Of(Problem.BadOption("The worker's name is empty; give a name."));
    }
}
