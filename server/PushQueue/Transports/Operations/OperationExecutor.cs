using PushQueue.Queues;
using PushQueue.Security;

namespace PushQueue.Transports.Operations;

/// <summary>
/// Executes the operations of the native API, each with one call to the broker, whichever way a request came. Each failure is a problem
/// of the one table, so that the wires (REST, commands, the hub) only read options and write answers.
/// </summary>
internal sealed class OperationExecutor(IMessageBroker broker, IBroadcastHistory history, WaitingRights waiting)
{
    private static readonly Problem NoMessage = Problem.NotFound(
        "No live message of this queue has that id; it may have been taken already.");

    private static readonly Problem NoLease = Problem.NotFound(
        "No live message of this queue has that id: it was acked, taken or cancelled before, or never existed. Drop the work.");

    private static readonly Problem NoQueue = Problem.NotFound("There is no such queue; its first put creates it.");

    /// <summary>The promise of the answer to a put.</summary>
    public string Durability { get; } = broker.Durability.ToString();

    /// <summary>Lists messages of a state; null is history.</summary>
    public ValueTask<BrokerResult<MessagePage>> BrowseAsync(QueueName queue, MessageState? state, string? after, int limit) =>
        state is { } live ? broker.BrowseAsync(queue, live, after, limit) : history.BrowseHistoryAsync(queue, after, limit);

    /// <param name="queue">The queue.</param>
    /// <param name="message">The message.</param>
    /// <param name="wait">How long to wait for the end of the message; null for not at all.</param>
    /// <param name="caller">The put stands, but its end is reported only to a caller that still has the right.</param>
    /// <param name="cancellationToken">Ends the wait; the put stands.</param>
    public async ValueTask<PutResult> PutAsync(
        QueueName queue, NewMessage message, TimeSpan? wait, Caller caller, CancellationToken cancellationToken)
    {
        // hot path: every put.
        if (wait is not { } patience)
        {
            var put = await broker.PutAsync(queue, message);
            return put.Ok
                ? new PutResult(new AwaitedPut(put.Value, End: null), Stored: true, Waited: false, Problem: null)
                : new PutResult(default, Stored: false, Waited: false, ProblemDetailsMapper.ToProblem(put));
        }

        using var right = waiting.Begin(caller, Permissions.Put, queue, cancellationToken);
        try
        {
            var result = await broker.PutAndWaitAsync(queue, message, patience, right?.Token ?? cancellationToken);
            return result.Ok
                ? new PutResult(result.Value, Stored: true, Waited: true, PutJson.WhyNotAcked(queue, result.Value))
                : new PutResult(default, Stored: false, Waited: true, ProblemDetailsMapper.ToProblem(result));
        }
        catch (OperationCanceledException) when (right is { IsLost: true })
        {
            return new PutResult(default, Stored: false, Waited: true, right.WhyLost());
        }
    }

    public async ValueTask<Outcome<IReadOnlyList<PutOutcome>>> PutManyAsync(QueueName queue, IReadOnlyList<NewMessage> messages) =>
        Of(await broker.PutManyAsync(queue, messages));

    /// <summary>Takes messages for good. A request that waits ends with the right of its caller.</summary>
    public ValueTask<Outcome<IReadOnlyList<Message>>> TakeAsync(
        QueueName queue, TakeRequest request, Caller caller, CancellationToken cancellationToken) =>
        WaitAsync(
            queue, request, caller, static (broker, queue, request, ended) => broker.TakeAsync(queue, request, ended), cancellationToken);

    /// <summary>As <see cref="TakeAsync"/>, under leases.</summary>
    public ValueTask<Outcome<IReadOnlyList<Lease>>> LeaseAsync(
        QueueName queue, TakeRequest request, Caller caller, CancellationToken cancellationToken) =>
        WaitAsync(
            queue,
            request with { NewQueuePolicy = DeliveryPolicy.RoundRobin },
            caller,
            static (broker, queue, request, ended) => broker.LeaseAsync(queue, request, ended),
            cancellationToken);

    /// <summary>Acks, releases or touches; an error for each lease.</summary>
    public async ValueTask<IReadOnlyList<QueueError>> SettleAsync(
        Settlement settlement, QueueName queue, IReadOnlyList<LeaseKey> keys, LeaseOptions options)
    {
        if (settlement == Settlement.Ack)
        {
            return await broker.AckAsync(queue, keys);
        }

        if (settlement == Settlement.Release)
        {
            return await broker.ReleaseAsync(queue, keys, options.ToRelease());
        }

        return await broker.TouchAsync(queue, keys, options.TimeToRun ?? (await SettingsAsync(queue)).TimeToRun);
    }

    /// <summary>As <see cref="SettleAsync"/> for one lease.</summary>
    public async ValueTask<Problem?> SettleOneAsync(Settlement settlement, QueueName queue, LeaseKey key, LeaseOptions options)
    {
        var errors = await SettleAsync(settlement, queue, [key], options);
        return errors[0] switch
        {
            QueueError.None => null,
            QueueError.NotFound => NoLease,
            var error => ProblemDetailsMapper.ToProblem(new BrokerFailure(error)),
        };
    }

    /// <summary>The live message of an id, which stays where it is.</summary>
    public async ValueTask<Outcome<Message>> FindAsync(QueueName queue, MessageId id) =>
        await broker.FindAsync(queue, id) is { } message ? new Outcome<Message>(message, null) : NoMessage;

    /// <summary>The next message, which stays where it is; null where none is ready.</summary>
    public ValueTask<Message?> LookAsync(QueueName queue) => broker.LookAsync(queue);

    public async ValueTask<Problem?> CancelAsync(QueueName queue, MessageId id) => OfMessage(await broker.CancelAsync(queue, id));

    public async ValueTask<Problem?> RescheduleAsync(QueueName queue, MessageId id, DateTimeOffset at) =>
        OfMessage(await broker.RescheduleAsync(queue, id, at));

    /// <summary>Keys of a queue that have live messages, behind one of them; none of a queue that does not exist.</summary>
    public ValueTask<KeyPage> ListKeysAsync(QueueName queue, string? after, int limit) => broker.ListKeysAsync(queue, after, limit);

    /// <summary>Empties a queue, which stays; how many messages there were.</summary>
    public async ValueTask<Outcome<long>> PurgeAsync(QueueName queue)
    {
        var result = await broker.PurgeAsync(queue);
        return !result.Ok ? ProblemDetailsMapper.ToProblem(result)
            : result.Value is { } purged ? new Outcome<long>(purged, null)
            : NoQueue;
    }

    /// <summary>The settings of a queue; the defaults of one that does not exist yet.</summary>
    public async ValueTask<QueueSettings> SettingsAsync(QueueName queue) =>
        (await broker.GetQueueAsync(queue))?.Settings ?? QueueSettings.Default;

    /// <param name="queue">The queue.</param>
    /// <param name="patch">The change.</param>
    /// <param name="caller">May manage the queue. Must also be allowed to listen to all that subscriptions may mean.</param>
    public async ValueTask<Outcome<QueueSettings>> ChangeSettingsAsync(QueueName queue, QueueSettingsPatch patch, Caller caller)
    {
        foreach (var entry in patch.Subscriptions?.Entries ?? [])
        {
            if (caller.WhyNotListen(entry.To) is { } problem)
            {
                return problem;
            }
        }

        return Of(await broker.UpdateSettingsAsync(queue, patch));
    }

    /// <summary>Reports one setting, or sets it first where a value is given.</summary>
    public async ValueTask<Outcome<string>> SettingAsync(QueueSetting setting, QueueName queue, string? value)
    {
        if (value is null)
        {
            return new Outcome<string>(setting.Of(await SettingsAsync(queue)), null);
        }

        if (setting.Read(value, out var patch) is { } problem)
        {
            return problem;
        }

        var changed = Of(await broker.UpdateSettingsAsync(queue, patch));
        return changed.Problem is { } refusal ? refusal : new Outcome<string>(setting.Of(changed.Value!), null);
    }

    private async ValueTask<Outcome<IReadOnlyList<T>>> WaitAsync<T>(
        QueueName queue,
        TakeRequest request,
        Caller caller,
        Func<IMessageBroker, QueueName, TakeRequest, CancellationToken, ValueTask<BrokerResult<IReadOnlyList<T>>>> take,
        CancellationToken cancellationToken)
    {
        if (request.Wait <= TimeSpan.Zero)
        {
            return Of(await take(broker, queue, request, cancellationToken));
        }

        using var right = waiting.Begin(caller, Permissions.Take, queue, cancellationToken);
        try
        {
            return Of(await take(broker, queue, request, right?.Token ?? cancellationToken));
        }
        catch (OperationCanceledException) when (right is { IsLost: true })
        {
            return right.WhyLost();
        }
    }

    private static Problem? OfMessage(BrokerResult<bool> result) =>
        !result.Ok ? ProblemDetailsMapper.ToProblem(result) : result.Value ? null : NoMessage;

    private static Outcome<T> Of<T>(BrokerResult<T> result) =>
        result.Ok ? new Outcome<T>(result.Value, null) : ProblemDetailsMapper.ToProblem(result);
}
