using System.Globalization;
using PushQueue.Queues;
using StackExchange.Redis;

namespace PushQueue.Storage.Redis;

/// <summary>Puts: one script for one message or many.</summary>
internal sealed partial class RedisMessageStore
{
    private const int Duplicate = -1;
    private const int KeyTaken = -2;
    private const int TooManyMessages = -3;

    // Time, name, mode; then record and time available per message.
    private const int PutHead = 3;

    // Control and the place of who is to blame; then a code per message.
    private const int PutReplyHead = 2;

    public ValueTask<BrokerResult<PutOutcome>> PutAsync(QueueName queue, NewMessage message) =>
        Known(queue).LanesOf(this).Puts.CallAsync(message);

    /// <summary>Several single puts in one call; what fails for all is the outcome of each.</summary>
    internal async ValueTask<IReadOnlyList<BrokerResult<PutOutcome>>> PutEachAsync(QueueName queue, IReadOnlyList<NewMessage> messages)
    {
        var outcomes = new BrokerResult<PutOutcome>[messages.Count];
        try
        {
            var reply = await PutAsync(queue, messages, allOrNone: false);
            for (var i = 0; i < outcomes.Length; i++)
            {
                outcomes[i] = Outcome(queue, messages[i], reply[i + 2], CopiesOf(reply, i, outcomes.Length));
            }
        }
        catch (StoreUnavailableException e)
        {
            Array.Fill(outcomes, Failure(e));
        }

        return outcomes;
    }

    public async ValueTask<BrokerResult<IReadOnlyList<PutOutcome>>> PutManyAsync(QueueName queue, IReadOnlyList<NewMessage> messages)
    {
        if (messages.Count == 0)
        {
            return Array.Empty<PutOutcome>();
        }

        RedisValue[] reply;
        try
        {
            reply = await PutAsync(queue, messages, allOrNone: true);
        }
        catch (StoreUnavailableException e)
        {
            return Failure(e);
        }

        if ((long)reply[1] is > 0 and var place)
        {
            var failure = Outcome(queue, messages[(int)place - 1], reply[2]).Failure;
            return failure with { Detail = $"{failure.Detail} (message {place} of the batch; nothing was stored)" };
        }

        var outcomes = new PutOutcome[messages.Count];
        for (var i = 0; i < outcomes.Length; i++)
        {
            outcomes[i] = Outcome(queue, messages[i], reply[i + 2], CopiesOf(reply, i, outcomes.Length)).Value;
        }

        return outcomes;
    }

    private async ValueTask<RedisValue[]> PutAsync(QueueName queue, IReadOnlyList<NewMessage> messages, bool allOrNone)
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
        RedisValue[] reply;
        while ((reply = (await RunAsync(RedisScript.Put, queue, arguments, known.KeysWithFed))!)[0] == KeysMissing)
        {
            // On a Redis Cluster, the first time and after each change of the subscribers.
            known.KeysWithFed = [.. known.Keys, .. FedOf(reply[1]).SelectMany(_connection.Keys.AllOnCluster)];
        }

        if (reply.Length > messages.Count + PutReplyHead)
        {
            await FollowCopiesAsync(queue, reply, messages.Count);
        }

        await ReplicatedAsync();
        return reply;
    }

    /// <summary>The names in the field fed (Scripts/Part.Feeds.lua).</summary>
    private static IEnumerable<QueueName> FedOf(RedisValue fed) =>
        ((string)fed!).Split('\u001C').Select(static subscriber => QueueName.Parse(subscriber.Split('\u001D')[0]));

    /// <summary>The work that copies leave to this node.</summary>
    private async ValueTask FollowCopiesAsync(QueueName queue, RedisValue[] reply, int messages)
    {
        var isRefused = (long)reply[1] > 0;
        for (var i = isRefused ? PutReplyHead + 1 : PutReplyHead + 1 + (2 * messages); i < reply.Length; i += 2)
        {
            await TryFollowUpAsync(QueueName.Parse(reply[i]!), (long)reply[i + 1]);
        }

        if (!isRefused && (long)reply[PutReplyHead + messages] == 1)
        {
            _listener!.OnFeeding(queue);
        }
    }

    private static int CopiesOf(RedisValue[] reply, int message, int messages) =>
        reply.Length > PutReplyHead + messages ? (int)reply[PutReplyHead + messages + 1 + message] : 0;

    /// <summary>Since when the message is available, as the script takes it.</summary>
    private static RedisValue Available(NewMessage message)
    {
        if (message is { AvailableAt: null, CountsAsFailure: false })
        {
            return 0;
        }

        var keeps = message is { KeepsPastTime: true, AvailableAt: not null } ? "k" : string.Empty;
        return $"{(message.AvailableAt is { } at ? Text(at) : "0")}{keeps}{(message.CountsAsFailure ? "b" : string.Empty)}";
    }

    /// <summary>Waits for as many replicas as the options say, on the connection of the write before it.</summary>
    private async ValueTask ReplicatedAsync()
    {
        if (_options.WaitForReplicas == 0)
        {
            return;
        }

        var patience = Ms(_options.CommandTimeout) / 2;
        var replicas = (long)await _connection.DoAsync(
            database => database.ExecuteAsync("WAIT", _options.WaitForReplicas, patience));
        if (replicas < _options.WaitForReplicas)
        {
            throw new StoreUnavailableException(
                $"Only {replicas} of {_options.WaitForReplicas} replicas of Redis confirmed the message in time. "
                + "It is stored, but less safely than --redis-wait demands.");
        }
    }

    private static BrokerResult<PutOutcome> Outcome(QueueName queue, NewMessage message, RedisValue code, int copies = 0)
    {
        if (code.TryParse(out long number))
        {
            return Outcome(queue, message, number, copies);
        }

        // A limit of a subscriber: the code and its name.
        var text = (string)code!;
        var space = text.IndexOf(' ', StringComparison.Ordinal);
        return Outcome(QueueName.Parse(text[(space + 1)..]), message, long.Parse(text[..space], CultureInfo.InvariantCulture), copies);
    }

    private static BrokerResult<PutOutcome> Outcome(QueueName queue, NewMessage message, long code, int copies) => code switch
    {
        > 0 => new PutOutcome(MessageId.FromNumber(code), Duplicate: false, copies),
        0 => new PutOutcome(message.Id!.Value, Duplicate: false, copies),
        Duplicate => new PutOutcome(message.Id!.Value, Duplicate: true),
        KeyTaken => new BrokerFailure(
            QueueError.UniqueKeyTaken, $"A message with the unique key '{message.UniqueKey}' still waits in queue '{queue}'."),
        TooManyMessages => new BrokerFailure(
            QueueError.QueueFull, $"Queue '{queue}' holds its maxMessages; try again when some were taken."),
        _ => new BrokerFailure(QueueError.QueueFull, $"Queue '{queue}' holds its maxBytes; try again when some were taken."),
    };
}
