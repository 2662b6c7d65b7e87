using PushQueue.Client;
using PushQueue.Queues;
using PushQueue.Transports;
using PushQueue.Transports.Operations;

namespace PushQueue.InProcess;

/// <summary>Settles leases of messages that the program got in process.</summary>
/// <param name="operations">The operations.</param>
/// <param name="time">The time of the waits for a store that is out of reach.</param>
internal sealed class InProcessLeases(OperationExecutor operations, TimeProvider time) : ILeaseOwner
{
    private const int ErrorCharsMax = 1000;

    // As long as the client over HTTP tries.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(1);

    public Task<bool> AckAsync(Client.Message message, CancellationToken cancellationToken) =>
        SettleAsync(message, Settlement.Ack, default, cancellationToken);

    public Task<bool> ReleaseAsync(Client.Message message, ReleaseReason reason, CancellationToken cancellationToken)
    {
        var given = default(GivenOptions);
        given.Add("delay", reason.Delay);
        given.Add("backoff", reason.Delay is null ? reason.Backoff : null);
        given.Add("error", Shortened(reason.Error));
        given.Add("unstarted", reason.Unstarted ? "true" : null);
        given.Add("deadLetter", reason.DeadLetter ? "true" : null);
        return SettleAsync(message, Settlement.Release, given, cancellationToken);
    }

    public Task<bool> TouchAsync(Client.Message message, TimeSpan? timeToRun, CancellationToken cancellationToken)
    {
        var given = default(GivenOptions);
        given.Add("ttr", timeToRun);
        return SettleAsync(message, Settlement.Touch, given, cancellationToken);
    }

    /// <summary>Extends the leases of messages of one queue, at least one.</summary>
    public Task<QueueError[]> TouchManyAsync(
        IReadOnlyList<Client.Message> messages, TimeSpan timeToRun, CancellationToken cancellationToken)
    {
        var given = default(GivenOptions);
        given.Add("ttr", timeToRun);
        Refusals.Throw(LeaseOptions.Read(ref given, Settlement.Touch.Options, out var options));
        var keys = new Queues.LeaseKey[messages.Count];
        for (var i = 0; i < keys.Length; i++)
        {
            keys[i] = KeyOf(messages[i]);
        }

        return SettlePatientlyAsync(Settlement.Touch, QueueName.Parse(messages[0].Queue), keys, options, cancellationToken);
    }

    /// <summary>Settles a lease that the program names by its receipt.</summary>
    public async Task SettleAsync(
        string queue, string id, string receipt, Settlement settlement, GivenOptions given, CancellationToken cancellationToken)
    {
        var error = await SettleAsync(Refusals.Queue(queue), Refusals.Id(id), receipt, settlement, given, cancellationToken);
        if (error != QueueError.None)
        {
            throw Refusals.Of(ProblemDetailsMapper.ToProblem(new BrokerFailure(error)));
        }
    }

    private async Task<bool> SettleAsync(
        Client.Message message, Settlement settlement, GivenOptions given, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var (queue, key) = (QueueName.Parse(message.Queue), KeyOf(message));
        Refusals.Throw(LeaseOptions.Read(ref given, settlement.Options, out var options));
        return IsDone((await SettlePatientlyAsync(settlement, queue, [key], options, cancellationToken))[0]);
    }

    public static Queues.LeaseKey KeyOf(Client.Message message)
    {
        Refusals.Throw(OptionValues.Receipt(message.Receipt!, out var receipt));
        return new Queues.LeaseKey(MessageId.Parse(message.Id), receipt);
    }

    /// <summary>False where the lease was lost.</summary>
    public static bool IsDone(QueueError error) => error switch
    {
        QueueError.None => true,
        QueueError.LeaseLost or QueueError.NotFound => false,
        _ => throw Refusals.Of(ProblemDetailsMapper.ToProblem(new BrokerFailure(error))),
    };

    /// <summary>Settles leases. Waits while the store is out of reach, for up to a minute.</summary>
    public async Task<QueueError[]> SettlePatientlyAsync(
        Settlement settlement, QueueName queue, Queues.LeaseKey[] keys, LeaseOptions options, CancellationToken cancellationToken)
    {
        var errors = new QueueError[keys.Length];
        Array.Fill(errors, QueueError.StoreUnavailable);
        var begun = time.GetTimestamp();
        while (true)
        {
            int[] open = [.. Enumerable.Range(0, keys.Length).Where(i => errors[i] == QueueError.StoreUnavailable)];
            var isPatient = time.GetElapsedTime(begun) < Patience;
            try
            {
                var left = open.Length == keys.Length ? keys : Array.ConvertAll(open, i => keys[i]);
                var answers = await Refusals.GuardAsync(operations.SettleAsync(settlement, queue, left, options));
                var isOpen = false;
                for (var i = 0; i < open.Length; i++)
                {
                    errors[open[i]] = answers[i];
                    isOpen |= answers[i] == QueueError.StoreUnavailable;
                }

                if (!isOpen || !isPatient)
                {
                    return errors;
                }
            }
            catch (PushQueueException e) when (e.Type == ProblemTypes.StoreUnavailable && isPatient)
            {
                // Tried again below.
            }

            await Task.Delay(RetryInterval, time, cancellationToken);
        }
    }

    private async Task<QueueError> SettleAsync(
        QueueName queue, MessageId id, string receipt, Settlement settlement, GivenOptions given, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Refusals.Throw(OptionValues.Receipt(receipt, out var known));
        Refusals.Throw(LeaseOptions.Read(ref given, settlement.Options, out var options));
        var errors = await Refusals.GuardAsync(operations.SettleAsync(settlement, queue, [new Queues.LeaseKey(id, known)], options));
        return errors[0];
    }

    /// <summary>Without cutting a character.</summary>
    private static string? Shortened(string? error) =>
        error is not { Length: > ErrorCharsMax } ? error
        : char.IsHighSurrogate(error[ErrorCharsMax - 1]) ? error[..(ErrorCharsMax - 1)]
        : error[..ErrorCharsMax];
}
