using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace PushQueue.Queues;

/// <summary>
/// The one implementation of every operation. It owns what is the node's own: size limits, the takes that wait, counters per worker
/// and the refusal of work while the node drains. It holds no message and no lock; the store below is the only state machine.
/// Every front door calls it; it never calls back up.
/// </summary>
internal sealed partial class MessageBroker(
    IMessageStore store,
    TakeWaiters waiters,
    FinishWaiters finishes,
    WorkerRegistry workers,
    MessageTails tails,
    QueuesOptions options,
    TimeProvider time,
    LimitHits? hits = null,
    MemoryBudget? memory = null,
    ILogger<MessageBroker>? logger = null) : IMessageBroker
{
    /// <summary>How long a take may wait at most.</summary>
    public static readonly TimeSpan WaitMax = TimeSpan.FromSeconds(60);

    /// <summary>
    /// Bytes of bodies in one answer to a take of many, so that a count of a thousand cannot ask for gigabytes; a larger message goes
    /// alone.
    /// </summary>
    private const int TakeBytesMax = 16 * 1024 * 1024;

    private readonly FaultBorder _faults = new("takes", logger ?? NullLogger<MessageBroker>.Instance, meter: null);
    private volatile bool _draining;

    public int MessageBytesMax => options.MessageBytesMax;

    public Durability Durability => store.Durability;

    public bool Draining => _draining;

    /// <summary>From now on puts and takes are refused and waiting takes answer that nothing came. Leases can still be settled.</summary>
    public void BeginDrain()
    {
        _draining = true;
        waiters.Drain();
        finishes.Drain();
    }

    public ValueTask<BrokerResult<PutOutcome>> PutAsync(QueueName queue, NewMessage message)
    {
        if (_draining)
        {
            return new(new BrokerFailure(QueueError.ShuttingDown));
        }

        if (message.Body.Length > options.MessageBytesMax)
        {
            return new(TooLarge(message.Body.Length));
        }

        if (memory is { IsExceeded: true })
        {
            return new(OutOfMemory());
        }

        if (message.Policy is { } policy)
        {
            return PutWithPolicyAsync(queue, message, policy);
        }

        if (IsNearLimit(1, message.Body.Length))
        {
            return PutNearLimitAsync(queue, message);
        }

        return AdmittedPutAsync(queue, message);
    }

    public async ValueTask<BrokerResult<PutOutcome>> PutBackAsync(QueueName queue, NewMessage message, string? worker)
    {
        var result = await PutAsync(queue, message with { CountsAsFailure = true });
        if (result.Ok && worker is not null)
        {
            workers.Failed(queue, worker, 1);
        }

        return result;
    }

    public ValueTask<BrokerResult<IReadOnlyList<PutOutcome>>> PutManyAsync(QueueName queue, IReadOnlyList<NewMessage> messages)
    {
        if (_draining)
        {
            return new(new BrokerFailure(QueueError.ShuttingDown));
        }

        if (messages.Count > options.BatchMessagesMax)
        {
            hits?.Count(LimitNames.Batch);
            return new(BatchTooLarge());
        }

        var bytes = 0L;
        DeliveryPolicy? policy = null;
        foreach (var message in messages)
        {
            policy ??= message.Policy;
            if (message.Body.Length > options.MessageBytesMax)
            {
                return new(TooLarge(message.Body.Length));
            }

            bytes += message.Body.Length;
        }

        if (messages.Count == 0)
        {
            return new(Array.Empty<PutOutcome>());
        }

        if (memory is { IsExceeded: true })
        {
            return new(OutOfMemory());
        }

        if (policy is { } given)
        {
            return PutManyWithPolicyAsync(queue, messages, bytes, given);
        }

        return IsNearLimit(messages.Count, bytes) ? PutManyNearLimitAsync(queue, messages, bytes) : AdmittedPutManyAsync(queue, messages);
    }

    public async ValueTask<BrokerResult<IReadOnlyList<Message>>> TakeAsync(
        QueueName queue, TakeRequest request, CancellationToken cancellationToken)
    {
        var result = request.Wait > TimeSpan.Zero
            ? await WaitAsync(queue, request, TakeNowAsync, cancellationToken)
            : await TakeNowAsync(queue, request);
        if (result.Error == QueueError.TooLargeAtOnce)
        {
            result = await HoldAsync(queue, request);
        }

        Count(queue, request.Worker, result.Ok && request.Pending is not { IsHeld: true } ? result.Value.Count : 0);
        TellTaken(queue, result, request.Worker);
        return result;
    }

    public async ValueTask<BrokerResult<IReadOnlyList<Lease>>> LeaseAsync(
        QueueName queue, TakeRequest request, CancellationToken cancellationToken)
    {
        var result = request.Wait > TimeSpan.Zero
            ? await WaitAsync(queue, request, LeaseNowAsync, cancellationToken)
            : await LeaseNowAsync(queue, request);
        if (result.Ok && request.Pending is { } pending && IsLarge(result.Value))
        {
            pending.Hold(NewSettler(queue), KeysOf(result.Value), onTaken: null);
        }

        Count(queue, request.Worker, processed: 0);
        TellLeased(queue, result, request.Worker);
        return result;
    }

    public ValueTask<IReadOnlyList<QueueError>> AckAsync(QueueName queue, IReadOnlyList<LeaseKey> keys) => store.AckAsync(queue, keys);

    public ValueTask<IReadOnlyList<QueueError>> ReleaseAsync(QueueName queue, IReadOnlyList<LeaseKey> keys, ReleaseRequest request) =>
        store.ReleaseAsync(queue, keys, request);

    public ValueTask<IReadOnlyList<QueueError>> TouchAsync(QueueName queue, IReadOnlyList<LeaseKey> keys, TimeSpan timeToRun) =>
        store.TouchAsync(queue, keys, timeToRun);

    public ValueTask<BrokerResult<int>> EndDueLeasesAsync(QueueName queue, DateTimeOffset dueBy, int limit) =>
        store.EndDueLeasesAsync(queue, dueBy, limit);

    public ValueTask<long> CountDueAsync(QueueName queue, DateTimeOffset dueBy) => store.CountDueAsync(queue, dueBy);

    public ValueTask<Message?> LookAsync(QueueName queue) => store.LookAsync(queue);

    public ValueTask<BrokerResult<MessagePage>> BrowseAsync(QueueName queue, MessageState state, string? after, int limit) =>
        store.BrowseAsync(queue, state, after, limit);

    public ValueTask<KeyPage> ListKeysAsync(QueueName queue, string? after, int limit) => store.ListKeysAsync(queue, after, limit);

    public ValueTask<IReadOnlyList<MessageId>> NewestAsync(QueueName queue, int count) => store.NewestAsync(queue, count);

    public ValueTask<Message?> FindAsync(QueueName queue, MessageId id) => store.FindAsync(queue, id);

    public ValueTask<BrokerResult<bool>> CancelAsync(QueueName queue, MessageId id) => store.CancelAsync(queue, id);

    public ValueTask<BrokerResult<bool>> RescheduleAsync(QueueName queue, MessageId id, DateTimeOffset availableAt) =>
        store.RescheduleAsync(queue, id, availableAt);

    public ValueTask<BrokerResult<bool>> DeleteQueueAsync(QueueName queue) => store.DeleteQueueAsync(queue);

    public ValueTask<QueueInfo?> GetQueueAsync(QueueName queue) => store.GetQueueAsync(queue);

    public ValueTask<IReadOnlyList<QueueName>> SubscribersAsync(QueueName queue) => store.SubscribersAsync(queue);

    public ValueTask<QueuePage> ListQueuesAsync(string? after, int limit) => store.ListQueuesAsync(after, limit);

    public ValueTask<BrokerResult<QueueSettings>> UpdateSettingsAsync(QueueName queue, QueueSettingsPatch patch) =>
        _draining ? new(new BrokerFailure(QueueError.ShuttingDown))
        : WhyNoSubscription(queue, patch) is { } refusal ? new(refusal)
        : IsNearLimit(0, 0) ? UpdateNearLimitAsync(queue, patch)
        : store.UpdateSettingsAsync(queue, patch);

    private async ValueTask<BrokerResult<IReadOnlyList<T>>> WaitAsync<T>(
        QueueName queue,
        TakeRequest request,
        Func<QueueName, TakeRequest, ValueTask<BrokerResult<IReadOnlyList<T>>>> attempt,
        CancellationToken cancellationToken)
    {
        if (waiters.Count >= options.WaitingTakesMax)
        {
            hits?.Count(LimitNames.WaitingTakes);
            return new BrokerFailure(
                QueueError.TooManyWaiting, $"{options.WaitingTakesMax} takes already wait; take without waiting, or try again later.");
        }

        var wait = request.Wait < WaitMax ? request.Wait : WaitMax;
        var waiter = waiters.Join(queue, wait, isFiltered: request.Selection.Filter is not null, out var first);
        try
        {
            await using var gone = cancellationToken.UnsafeRegister(static state => ((TakeWaiter)state!).End(), waiter);

            // A waiter that joins behind others does not overtake them: the first in line tries at each wake and passes the wake on.
            var worthTrying = first || await waiter.NextAsync();
            while (worthTrying)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var result = await attempt(queue, request);
                if (!result.Ok || result.Value.Count > 0)
                {
                    return result;
                }

                waiters.PassOn(waiter);
                worthTrying = await waiter.NextAsync();
            }

            cancellationToken.ThrowIfCancellationRequested();
            return Array.Empty<T>();
        }
        finally
        {
            waiters.Leave(waiter);
        }
    }

    private ValueTask<BrokerResult<IReadOnlyList<Message>>> TakeNowAsync(QueueName queue, TakeRequest request)
    {
        if (_draining)
        {
            return new(new BrokerFailure(QueueError.ShuttingDown));
        }

        return store.TakeAsync(
            queue,
            request.Count,
            TakeBytesMax,
            request.Selection,
            request.EvenWhenStopped,
            request.Pending is null ? int.MaxValue : PendingTake.BytesAtOnceMax);
    }

    /// <summary>Takes messages that are for good only once their answer is written. Empty where others took them in the meantime.</summary>
    private async ValueTask<BrokerResult<IReadOnlyList<Message>>> HoldAsync(QueueName queue, TakeRequest request)
    {
        var leased = await store.LeaseAsync(queue, new LeaseRequest(
            request.Count,
            TakeBytesMax,
            TimeToRun: null,
            request.Worker,
            Delivery: true,
            Selection: request.Selection,
            EvenWhenStopped: request.EvenWhenStopped));
        if (!leased.Ok || leased.Value.Count == 0)
        {
            return leased.Ok ? Array.Empty<Message>() : leased.Failure;
        }

        var keys = KeysOf(leased.Value);
        request.Pending!.Hold(NewSettler(queue), keys, () => Count(queue, request.Worker, keys.Length));
        return leased.Value.Select(static lease => lease.Message).ToArray();
    }

    private static bool IsLarge(IReadOnlyList<Lease> leases)
    {
        // hot path: a lease of one.
        var bytes = 0L;
        for (var i = 0; i < leases.Count; i++)
        {
            bytes += leases[i].Message.Body.Length;
        }

        return bytes > PendingTake.BytesAtOnceMax;
    }

    private static LeaseKey[] KeysOf(IReadOnlyList<Lease> leases) =>
        [.. leases.Select(static lease => new LeaseKey(lease.Message.Id, lease.Receipt))];

    private LeaseSettler NewSettler(QueueName queue) => new(queue, store, time, _faults);

    private ValueTask<BrokerResult<IReadOnlyList<Lease>>> LeaseNowAsync(QueueName queue, TakeRequest request)
    {
        if (_draining)
        {
            return new(new BrokerFailure(QueueError.ShuttingDown));
        }

        return request.NewQueuePolicy is { } policy ? LeaseOrMakeQueueAsync(queue, request, policy) : LeaseFromStoreAsync(queue, request);
    }

    private ValueTask<BrokerResult<IReadOnlyList<Lease>>> LeaseFromStoreAsync(QueueName queue, TakeRequest request) =>
        request.TimeToRun is { } timeToRun
            ? store.LeaseAsync(queue, ToLeaseRequest(request, timeToRun))
            : LeaseByQueueSettingAsync(queue, request);

    private async ValueTask<BrokerResult<IReadOnlyList<Lease>>> LeaseByQueueSettingAsync(QueueName queue, TakeRequest request)
    {
        var settings = (await store.GetQueueAsync(queue))?.Settings ?? QueueSettings.Default;
        return await store.LeaseAsync(queue, ToLeaseRequest(request, settings.TimeToRun));
    }

    private static LeaseRequest ToLeaseRequest(TakeRequest request, TimeSpan timeToRun) =>
        new(request.Count, TakeBytesMax, timeToRun, request.Worker, Selection: request.Selection);

    private void Count(QueueName queue, string? worker, int processed)
    {
        if (worker is not null)
        {
            workers.Processed(queue, worker, processed);
        }
    }

    private BrokerFailure OutOfMemory()
    {
        hits?.Count(LimitNames.BuffersBytes);
        return new(
            QueueError.ServerFull,
            "Slow readers use all memory that the server reserves for output; the server closes them. Try again in a second. Nothing "
                + "was stored.");
    }

    private BrokerFailure TooLarge(int bytes)
    {
        hits?.Count(LimitNames.MessageBytes);
        return new(
            QueueError.MessageTooLarge,
            $"The message has {bytes} bytes; at most {options.MessageBytesMax} are allowed. Send less, or raise the limit of the server.");
    }
}
