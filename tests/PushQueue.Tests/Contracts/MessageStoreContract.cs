using System.Text;
using PushQueue.Queues;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Contracts;

/// <summary>
/// The promises of every <see cref="IMessageStore"/>, a file per subject. A store joins by a subclass with one hook,
/// <see cref="CreateStoreAsync"/>. Tests share nothing but what is behind that hook: each has a queue named after itself, so one server
/// can serve them all in parallel. Time stands still until a test advances it.
/// </summary>
public abstract partial class MessageStoreContract : IAsyncLifetime
{
    private readonly List<IMessageStore> _opened = [];
    private QueueName? _queue;

    private protected TestTimeProvider Time { get; } = new();

    private protected RecordingListener Listener { get; } = new();

    private protected VerifyingLogger Log { get; } = new();

    private protected IMessageStore Store { get; private set; } = null!;

    private protected QueueName Queue =>
        _queue ??= QueueName.Parse(NameOf($"{GetType().Name}.{TestContext.Current.TestMethod!.MethodName}"));

    /// <summary>The name of the test's queue. The other queues of the test begin with it, too.</summary>
    private protected virtual string NameOf(string test) => test;

    private protected QueueName DeadQueue => Queue.DeadLetter;

    /// <summary>False for a store that forgets when it is closed; then the tests about reopening are skipped.</summary>
    private protected virtual bool Persists => true;

    /// <summary>Opens a store. Every call of one test opens the same data again; the one before has been disposed by then.</summary>
    private protected abstract Task<IMessageStore> CreateStoreAsync(TestTimeProvider time, IQueueChangeListener listener);

    /// <summary>Removes what the store's data live in; called last.</summary>
    private protected virtual ValueTask RemoveDataAsync() => ValueTask.CompletedTask;

    public async ValueTask InitializeAsync()
    {
        await OpenAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var store in _opened)
        {
            await store.DisposeAsync().WithTimeout();
        }

        await RemoveDataAsync();
        Log.Verify();
        GC.SuppressFinalize(this);
    }

    /// <summary>Closes the store in order and opens it again on the same data.</summary>
    private protected async Task ReopenAsync()
    {
        Assert.SkipUnless(Persists, "This store keeps nothing when it is closed.");
        await CloseAsync();
        await OpenAsync();
    }

    private protected async Task CloseAsync()
    {
        await Store.DisposeAsync().WithTimeout();
        _opened.Remove(Store);
    }

    private protected async Task OpenAsync()
    {
        Store = await CreateStoreAsync(Time, Listener).WithTimeout();
        _opened.Add(Store);
    }

    private protected static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);

    private protected NewMessage NewMessage(
        string body,
        string? id = null,
        TimeSpan? delay = null,
        TimeSpan? ttl = null,
        int priority = 0,
        string? uniqueKey = null,
        int? maxAttempts = null,
        RetryDelay? retryDelay = null,
        string contentType = "text/plain") => new()
        {
            Body = Encoding.UTF8.GetBytes(body),
            ContentType = contentType,
            Id = id is null ? null : MessageId.Parse(id),
            AvailableAt = delay is { } wait ? Time.GetUtcNow() + wait : null,
            TimeToLive = ttl,
            Priority = priority,
            UniqueKey = uniqueKey,
            MaxAttempts = maxAttempts,
            RetryDelay = retryDelay,
        };

    /// <summary>Puts a message that must be stored; returns its id.</summary>
    private protected async Task<MessageId> Put(
        string body,
        string? id = null,
        TimeSpan? delay = null,
        TimeSpan? ttl = null,
        int priority = 0,
        string? uniqueKey = null,
        int? maxAttempts = null,
        RetryDelay? retryDelay = null)
    {
        var outcome = await TryPut(NewMessage(body, id, delay, ttl, priority, uniqueKey, maxAttempts, retryDelay));
        Assert.False(outcome.Value.Duplicate);
        return outcome.Value.Id;
    }

    private protected async Task PutAll(params string[] bodies)
    {
        foreach (var body in bodies)
        {
            await Put(body);
        }
    }

    private protected async Task<BrokerResult<PutOutcome>> TryPut(NewMessage message) => await Store.PutAsync(Queue, message).WithTimeout();

    private protected async Task<BrokerResult<IReadOnlyList<PutOutcome>>> TryPutMany(params NewMessage[] messages) =>
        await Store.PutManyAsync(Queue, messages).WithTimeout();

    private protected async Task<IReadOnlyList<Message>> Take(int count, QueueName? queue = null) =>
        (await Store.TakeAsync(queue ?? Queue, count, int.MaxValue).WithTimeout()).Value;

    /// <summary>Takes everything that is ready; the bodies in their order.</summary>
    private protected async Task<string[]> TakeAll(QueueName? queue = null) => BodiesOf(await Take(1000, queue));

    private protected async Task<Lease> LeaseOne(
        TimeSpan? timeToRun = null,
        string? worker = null,
        bool delivery = false,
        QueueName? queue = null)
    {
        var leases = await LeaseMany(1, timeToRun, worker, delivery, queue);
        return Assert.Single(leases);
    }

    private protected async Task<IReadOnlyList<Lease>> LeaseMany(
        int count, TimeSpan? timeToRun = null, string? worker = null, bool delivery = false, QueueName? queue = null)
    {
        var request = new LeaseRequest(count, int.MaxValue, delivery ? timeToRun : timeToRun ?? Seconds(30), worker, delivery);
        return (await Store.LeaseAsync(queue ?? Queue, request).WithTimeout()).Value;
    }

    private protected async Task<QueueError> Ack(Lease lease, QueueName? queue = null) =>
        Assert.Single(await Store.AckAsync(queue ?? Queue, [KeyOf(lease)]).WithTimeout());

    private protected async Task<QueueError> Release(Lease lease, ReleaseRequest? request = null, QueueName? queue = null) =>
        Assert.Single(await Store.ReleaseAsync(queue ?? Queue, [KeyOf(lease)], request ?? new ReleaseRequest()).WithTimeout());

    private protected async Task<QueueError> Touch(Lease lease, TimeSpan timeToRun) =>
        Assert.Single(await Store.TouchAsync(Queue, [KeyOf(lease)], timeToRun).WithTimeout());

    /// <summary>Leases the next message and fails it, as often as it takes to dead-letter it.</summary>
    private protected async Task FailToDeath(string? error = null, string? worker = null)
    {
        var info = await Info();
        for (var attempt = 0; attempt < info.Settings.MaxAttempts && (await Info()).Waiting == info.Waiting; attempt++)
        {
            Assert.Equal(QueueError.None, await Release(await LeaseOne(worker: worker), new ReleaseRequest(Error: error)));
        }
    }

    private protected static LeaseKey KeyOf(Lease lease) => new(lease.Message.Id, lease.Receipt);

    private protected async Task<QueueInfo> Info(QueueName? queue = null)
    {
        var info = await Store.GetQueueAsync(queue ?? Queue).WithTimeout();
        Assert.NotNull(info);
        return info;
    }

    private protected async Task<Message> Find(MessageId id, QueueName? queue = null)
    {
        var message = await TryFind(id, queue);
        Assert.NotNull(message);
        return message;
    }

    private protected async Task<Message?> TryFind(MessageId id, QueueName? queue = null) =>
        await Store.FindAsync(queue ?? Queue, id).WithTimeout();

    /// <summary>The bodies of all messages of one state, in the store's order.</summary>
    private protected async Task<string[]> Browse(MessageState state, QueueName? queue = null) =>
        BodiesOf((await Store.BrowseAsync(queue ?? Queue, state, null, 1000).WithTimeout()).Value.Messages);

    private protected async Task<QueueSettings> Set(QueueSettingsPatch patch, QueueName? queue = null) =>
        (await Store.UpdateSettingsAsync(queue ?? Queue, patch).WithTimeout()).Value;

    private protected async Task<IReadOnlyList<Message>> Broadcast(int count = 1000) =>
        await Store.BroadcastAsync(Queue, count, int.MaxValue).WithTimeout();

    private protected async Task<HistoryPage> History(long fromOffset, int count = 1000)
    {
        var page = await Store.ReadHistoryAsync(Queue, fromOffset, count, int.MaxValue).WithTimeout();
        Assert.NotNull(page);
        return page;
    }

    private protected async Task<bool> Cancel(MessageId id, QueueName? queue = null) =>
        (await Store.CancelAsync(queue ?? Queue, id).WithTimeout()).Value;

    private protected async Task<bool> Reschedule(MessageId id, TimeSpan delay) =>
        (await Store.RescheduleAsync(Queue, id, Time.GetUtcNow() + delay).WithTimeout()).Value;

    private protected static string BodyOf(Message message) => Encoding.UTF8.GetString(message.Body.Span);

    private protected static string[] BodiesOf(IEnumerable<Message> messages) => [.. messages.Select(BodyOf)];

    private protected static long[] OffsetsOf(IEnumerable<Message> messages) => [.. messages.Select(message => message.Offset)];
}
