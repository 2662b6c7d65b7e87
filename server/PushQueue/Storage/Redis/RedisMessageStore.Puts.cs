using PushQueue.Queues;
using StackExchange.Redis;
using static PushQueue.Storage.Redis.RedisArguments;

namespace PushQueue.Storage.Redis;

/// <summary>Puts: one script for one message or many.</summary>
internal sealed partial class RedisMessageStore
{
    // Time, name, mode; then record and time available per message.
    private const int PutHead = 3;

    public ValueTask<BrokerResult<PutOutcome>> PutAsync(QueueName queue, NewMessage message) =>
        Known(queue).LanesOf(this).Puts.CallAsync(message);

    /// <summary>Several single puts in one call; what fails for all is the outcome of each.</summary>
    internal async ValueTask<IReadOnlyList<BrokerResult<PutOutcome>>> PutEachAsync(QueueName queue, IReadOnlyList<NewMessage> messages)
    {
        var outcomes = new BrokerResult<PutOutcome>[messages.Count];
        var done = 0;
        try
        {
            while (done < outcomes.Length)
            {
                var reply = await PutAsync(queue, done == 0 ? messages : [.. messages.Skip(done)], allOrNone: false);
                var tried = reply.Tried;
                for (var i = 0; i < tried; i++)
                {
                    outcomes[done + i] = reply[i];
                }

                done += tried;
            }
        }
        catch (StoreUnavailableException e)
        {
            Array.Fill(outcomes, Failure(e), done, outcomes.Length - done);
        }

        return outcomes;
    }

    public async ValueTask<BrokerResult<IReadOnlyList<PutOutcome>>> PutManyAsync(QueueName queue, IReadOnlyList<NewMessage> messages)
    {
        if (messages.Count == 0)
        {
            return Array.Empty<PutOutcome>();
        }

        RedisPutReply reply;
        try
        {
            reply = await PutAsync(queue, messages, allOrNone: true);
        }
        catch (StoreUnavailableException e)
        {
            return Failure(e);
        }

        if (reply.Refusal is { } refusal)
        {
            return refusal;
        }

        var outcomes = new PutOutcome[messages.Count];
        for (var i = 0; i < outcomes.Length; i++)
        {
            outcomes[i] = reply[i].Value;
        }

        return outcomes;
    }

    private async ValueTask<RedisPutReply> PutAsync(QueueName queue, IReadOnlyList<NewMessage> messages, bool allOrNone)
    {
        var now = NowMs();
        var arguments = new RedisValue[PutHead + (2 * messages.Count)];
        arguments[2] = allOrNone ? 1 : 0;
        for (var i = 0; i < messages.Count; i++)
        {
            var at = PutHead + (2 * i);
            arguments[at] = RedisRecord.Pack(messages[i], now);
            arguments[at + 1] = Available(messages[i]);
        }

        var known = Known(queue);
        RedisValue[] values;
        while ((values = (await RunAsync(RedisScript.Put, queue, arguments, known.KeysWithFed))!)[0] == RedisPutReply.KeysMissing)
        {
            // On a Redis Cluster, the first time and after each change of the subscribers.
            known.KeysWithFed = [.. known.Keys, .. RedisPutReply.SubscribersIn(values[1]).SelectMany(_connection.Keys.AllOnCluster)];
        }

        var reply = new RedisPutReply(queue, messages, values);
        await (reply.HasCopies ? FollowCopiesAsync(queue, reply) : ValueTask.CompletedTask);
        await _connection.ReplicatedAsync();
        return reply;
    }

    private async ValueTask FollowCopiesAsync(QueueName queue, RedisPutReply reply)
    {
        foreach (var (subscriber, control) in reply.FollowUps)
        {
            await TryFollowUpAsync(subscriber, control);
        }

        if (reply.FeedsHistory)
        {
            _listener!.OnFeeding(queue);
        }
    }
}
