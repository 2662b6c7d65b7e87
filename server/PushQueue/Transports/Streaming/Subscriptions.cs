using System.Text.Json;
using Microsoft.Extensions.Options;
using PushQueue.Delivery;
using PushQueue.Delivery.Encoding;
using PushQueue.Queues;
using PushQueue.Security;

namespace PushQueue.Transports.Streaming;

/// <summary>Subscribes and unsubscribes connections that hold many subscriptions: the socket at <c>/ws</c> and the hub.</summary>
internal sealed class Subscriptions(
    Dispatcher dispatcher, ConsumerConnections connections, QueuePolicies policies, LimitHits hits, IOptions<DeliveryOptions> options)
{
    /// <summary>The new consumer, or what is wrong.</summary>
    public async ValueTask<(Consumer? Consumer, Problem? Problem)> SubscribeAsync(
        OutboundBuffer buffer, string? queueName, ConsumerOptionsReader reader, MessageFormat envelopes, MessageFormat raw)
    {
        if (WhyNot(buffer, queueName, reader, out var queue) is { } problem)
        {
            return (null, problem);
        }

        if (await policies.PrepareAsync(queue, reader.Options) is { } refusal)
        {
            return (null, refusal);
        }

        var format = reader.Options.Raw ? raw : envelopes;
        return (await dispatcher.SubscribeAsync(queue, buffer, format, reader.Options), null);
    }

    /// <param name="buffer">The connection.</param>
    /// <param name="queue">The queue.</param>
    /// <param name="started">A JSON list of the leases that the client has begun to work on; empty where it does not say.</param>
    /// <param name="found">False where the connection has no such subscription.</param>
    public Problem? Unsubscribe(OutboundBuffer buffer, QueueName queue, ReadOnlySpan<byte> started, out bool found)
    {
        found = false;
        var keys = default(List<LeaseKey>);
        if (!started.IsEmpty && LeaseKeysJson.Read(started, out keys) is { } problem)
        {
            return problem;
        }

        if (Find(buffer, queue) is { } consumer)
        {
            found = true;
            dispatcher.Unsubscribe(consumer, started: keys);
        }

        return null;
    }

    /// <summary>Reads the options of a hub call.</summary>
    public static ConsumerOptionsReader ReadOptions(JsonElement? json)
    {
        var options = new ConsumerOptionsReader();
        if (json is not { ValueKind: JsonValueKind.Object } given)
        {
            return options;
        }

        var reader = new Utf8JsonReader(JsonText.Raw(given), JsonBody.ReaderOptions);
        reader.Read();
        var fields = default(JsonFields);
        while (fields.Next(ref reader, out var name))
        {
            if (name == "who" && reader.TokenType == JsonTokenType.StartObject)
            {
                var start = (int)reader.TokenStartIndex;
                reader.Skip();
                _ = options.ReadWho(JsonText.Raw(given)[start..(int)reader.BytesConsumed]);
            }
            else if (name is "where")
            {
                ReadWhere(ref reader, JsonText.Raw(given), options);
                continue;
            }
            else if (JsonText.Read(ref reader, name, out var value) is { } problem)
            {
                options.Refuse(problem);
            }
            else if (value is not null)
            {
                options.Read(name, value);
            }

            reader.Skip();
        }

        options.Refuse(fields.Problem);
        return options;
    }

    private static void ReadWhere(ref Utf8JsonReader reader, ReadOnlySpan<byte> json, ConsumerOptionsReader options)
    {
        var start = (int)reader.TokenStartIndex;
        reader.Skip();
        options.Refuse(WhereJson.ReadConditions(json[start..(int)reader.BytesConsumed], out var conditions));
        foreach (var condition in conditions)
        {
            options.Read("where", condition);
        }
    }

    public static Problem TooMany(int most) =>
        new(ProblemType.TooManySubscriptions, $"This connection has {most} subscriptions, which is the limit; open another one.");

    private Problem? WhyNot(OutboundBuffer buffer, string? queueName, ConsumerOptionsReader reader, out QueueName queue)
    {
        if (!QueueName.TryParse(queueName, out queue, out var whyNot))
        {
            return new Problem(ProblemType.BadQueueName, whyNot);
        }

        var caller = (ConnectionCaller)buffer.Connection.Rights;
        if (caller.Caller.WhyNot(Permissions.Listen, queue) is { } forbidden)
        {
            return forbidden;
        }

        if (reader.Error is { } error)
        {
            return Problem.BadOption(error);
        }

        if (StreamAdmission.WhyNot(connections) is { } refusal)
        {
            return refusal;
        }

        var most = options.Value.SubscriptionsPerConnectionMax;
        if (buffer.Consumers.Length >= most)
        {
            hits.Count("subscriptions");
            return TooMany(most);
        }

        return Find(buffer, queue) is null
            ? null
            : Problem.BadOption($"This connection is subscribed to '{queue}' already; unsubscribe first to change its options.");
    }

    private static Consumer? Find(OutboundBuffer buffer, QueueName queue)
    {
        foreach (var consumer in buffer.Consumers)
        {
            if (consumer.Queue == queue)
            {
                return consumer;
            }
        }

        return null;
    }
}
