using PushQueue.Client.Http;

namespace PushQueue.Client.Streaming;

/// <summary>Settles the leases of one stream, over HTTP, so that an ack does not depend on the stream's connection.</summary>
internal sealed class StreamLeases : IStreamLeaseOwner
{
    private const int LeasesPerRequest = 1000;

    private readonly PushQueueClient _client;
    private readonly string _queue;
    private readonly HeldMessages _held;
    private readonly GatheredAcks _acks;

    public StreamLeases(PushQueueClient client, string queue, HeldMessages held)
    {
        _client = client;
        _queue = queue;
        _held = held;
        _acks = new GatheredAcks(SendAsync);
    }

    public void Ack(Message message, IAckObserver observer) => _acks.Add(message, observer);

    public Task<bool> AckAsync(Message message, CancellationToken cancellationToken) => _acks.AddAsync(message, cancellationToken);

    /// <summary>Completes when no ack is under way any more.</summary>
    public Task WhenSent() => _acks.WhenSent();

    public async Task<bool> ReleaseAsync(Message message, ReleaseReason reason, CancellationToken cancellationToken)
    {
        var path = PushQueueClient.ReleasePath(message, reason);
        return Settled(message, await _client.TrySettleAsync(path, PushQueueClient.SettleRetry, cancellationToken).ConfigureAwait(false));
    }

    public async Task<bool> TouchAsync(Message message, TimeSpan? timeToRun, CancellationToken cancellationToken)
    {
        var path = PushQueueClient.SettlePath(message, "touch").Add("ttr", timeToRun);
        return await _client.TrySettleAsync(path, retry: null, cancellationToken).ConfigureAwait(false) || Settled(message, done: false);
    }

    public async Task TouchManyAsync(IReadOnlyList<Message> messages, TimeSpan timeToRun, CancellationToken cancellationToken)
    {
        foreach (var part in messages.Chunk(LeasesPerRequest))
        {
            var keys = Array.ConvertAll(part, static message => new LeaseKey(message.Id, message.Receipt!));
            var (results, _) = await _client.SettleManyAsync(
                PushQueueClient.SettleManyPath(part[0].Queue, "touch").Add("ttr", timeToRun), keys, retry: null, cancellationToken)
                .ConfigureAwait(false);
            for (var i = 0; i < part.Length; i++)
            {
                if (results[i].Error is ProblemTypes.LeaseLost or ProblemTypes.NotFound)
                {
                    _held.Lose(part[i]);
                }
            }
        }
    }

    private bool Settled(Message message, bool done)
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
        if (_queue.Length == 0)
        {
            // A stream over many queues has no queue of its own.
            acks.Sort(static (one, other) => string.CompareOrdinal(one.Message.Queue, other.Message.Queue));
        }

        for (var from = 0; from < acks.Count;)
        {
            var to = from + 1;
            while (to < acks.Count && to - from < LeasesPerRequest && acks[to].Message.Queue == acks[from].Message.Queue)
            {
                to++;
            }

            await SendAsync(acks, from, to).ConfigureAwait(false);
            from = to;
        }
    }

    private async Task SendAsync(List<WaitingAck> acks, int from, int to)
    {
        SettleResult[] results;
        bool repeated;
        try
        {
            var keys = new LeaseKey[to - from];
            for (var i = 0; i < keys.Length; i++)
            {
                var message = acks[from + i].Message;
                keys[i] = new LeaseKey(message.Id, message.Receipt!);
            }

            (results, repeated) = await _client.SettleManyAsync(
                PushQueueClient.SettleManyPath(acks[from].Message.Queue, "ack"), keys, PushQueueClient.SettleRetry,
                CancellationToken.None).ConfigureAwait(false);
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
            // Gone after a request whose answer was lost: that one has done it.
            var result = results[i - from];
            var done = result.Ok || (repeated && result.Error == ProblemTypes.NotFound);
            acks[i].Observer.OnAcked(acks[i].Message, Settled(acks[i].Message, done));
        }
    }
}
