using PushQueue.Client;
using PushQueue.Client.Streaming;
using PushQueue.Queues;
using PushQueue.Transports.Operations;

namespace PushQueue.InProcess;

/// <summary>Settles the leases of one stream of this process, and knows which of them the program holds.</summary>
internal sealed class InProcessStreamLeases : IStreamLeaseOwner
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly TimeProvider _time;
    private readonly HeldMessages _held;
    private readonly InProcessLeases _leases;
    private readonly GatheredAcks _acks;

    public InProcessStreamLeases(OperationExecutor operations, HeldMessages held, TimeProvider time)
    {
        _time = time;
        _held = held;
        _leases = new InProcessLeases(operations, time);
        _acks = new GatheredAcks(SendAsync);
    }

    public void Ack(Client.Message message, IAckObserver observer) => _acks.Add(message, observer);

    public Task<bool> AckAsync(Client.Message message, CancellationToken cancellationToken) => _acks.AddAsync(message, cancellationToken);

    public async Task<bool> ReleaseAsync(Client.Message message, ReleaseReason reason, CancellationToken cancellationToken) =>
        Settled(message, await _leases.ReleaseAsync(message, reason, cancellationToken));

    public async Task<bool> TouchAsync(Client.Message message, TimeSpan? timeToRun, CancellationToken cancellationToken) =>
        await _leases.TouchAsync(message, timeToRun, cancellationToken) || Settled(message, done: false);

    public async Task TouchManyAsync(IReadOnlyList<Client.Message> messages, TimeSpan timeToRun, CancellationToken cancellationToken)
    {
        var errors = await _leases.TouchManyAsync(messages, timeToRun, cancellationToken);
        for (var i = 0; i < errors.Length; i++)
        {
            if (errors[i] is QueueError.LeaseLost or QueueError.NotFound)
            {
                _held.Lose(messages[i]);
            }
        }
    }

    /// <summary>Completes when no ack is under way any more, or after a few seconds while the store is out of reach.</summary>
    public async Task WhenAckedAsync() =>
        await _acks.WhenSent().WaitAsync(Patience, _time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private bool Settled(Client.Message message, bool done)
    {
        _held.Remove(message);
        message.Settled = done;
        if (!done)
        {
            message.End();
        }

        return done;
    }

    private async Task SendAsync(List<WaitingAck> acks)
    {
        for (var from = 0; from < acks.Count;)
        {
            // A stream over many queues has acks of several.
            var to = from + 1;
            while (to < acks.Count && acks[to].Message.Queue == acks[from].Message.Queue)
            {
                to++;
            }

            await SendAsync(acks, from, to);
            from = to;
        }
    }

    private async Task SendAsync(List<WaitingAck> acks, int from, int to)
    {
        QueueError[] errors;
        try
        {
            var keys = new Queues.LeaseKey[to - from];
            for (var i = 0; i < keys.Length; i++)
            {
                keys[i] = InProcessLeases.KeyOf(acks[from + i].Message);
            }

            var queue = QueueName.Parse(acks[from].Message.Queue);
            errors = await _leases.SettlePatientlyAsync(Settlement.Ack, queue, keys, default, CancellationToken.None);
        }
        catch (Exception e)
        {
            for (var i = from; i < to; i++)
            {
                acks[i].Observer.OnNotAcked(acks[i].Message, e);
            }

            return;
        }

        for (var i = from; i < to; i++)
        {
            Notify(acks[i], errors[i - from]);
        }
    }

    private void Notify(WaitingAck ack, QueueError error)
    {
        bool done;
        try
        {
            done = InProcessLeases.IsDone(error);
        }
        catch (PushQueueException e)
        {
            ack.Observer.OnNotAcked(ack.Message, e);
            return;
        }

        ack.Observer.OnAcked(ack.Message, Settled(ack.Message, done));
    }
}
