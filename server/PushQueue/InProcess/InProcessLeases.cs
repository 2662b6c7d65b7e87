using PushQueue.Client;
using PushQueue.Client.Streaming;
using PushQueue.Queues;
using PushQueue.Transports;
using PushQueue.Transports.Operations;

namespace PushQueue.InProcess;

/// <summary>Settles leases of messages that the program got in process.</summary>
/// <param name="operations">The operations.</param>
/// <param name="held">The messages that a stream holds; null for messages that were leased one by one.</param>
/// <param name="time">The time of the waits for a store that is out of reach.</param>
internal sealed class InProcessLeases(OperationExecutor operations, HeldMessages? held, TimeProvider time) : ILeaseOwner
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
        return SettleAsync(message, Settlement.Release, given, cancellationToken);
    }

    public Task<bool> TouchAsync(Client.Message message, TimeSpan? timeToRun, CancellationToken cancellationToken)
    {
        var given = default(GivenOptions);
        given.Add("ttr", timeToRun);
        return SettleAsync(message, Settlement.Touch, given, cancellationToken);
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
        var error = await SettlePatientlyAsync(message, settlement, given, cancellationToken);
        var done = error switch
        {
            QueueError.None => true,
            QueueError.LeaseLost or QueueError.NotFound => false,
            _ => throw Refusals.Of(ProblemDetailsMapper.ToProblem(new BrokerFailure(error))),
        };
        if (held is not null && (settlement != Settlement.Touch || !done))
        {
            held.Remove(message);
            message.Settled = done;
            if (!done)
            {
                message.End();
            }
        }

        return done;
    }

    /// <summary>Waits while the store is out of reach, for up to a minute.</summary>
    private async Task<QueueError> SettlePatientlyAsync(
        Client.Message message, Settlement settlement, GivenOptions given, CancellationToken cancellationToken)
    {
        var (queue, id) = (QueueName.Parse(message.Queue), MessageId.Parse(message.Id));
        var begun = time.GetTimestamp();
        while (true)
        {
            try
            {
                var error = await SettleAsync(queue, id, message.Receipt!, settlement, given, cancellationToken);
                if (error != QueueError.StoreUnavailable || time.GetElapsedTime(begun) >= Patience)
                {
                    return error;
                }
            }
            catch (PushQueueException e) when (
                e.Type == ProblemTypes.StoreUnavailable && time.GetElapsedTime(begun) < Patience)
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
