using System.Text.Json;
using Microsoft.Extensions.Options;
using PushQueue.Delivery;
using PushQueue.Delivery.Encoding;
using PushQueue.Queues;
using PushQueue.Security;
using PushQueue.Transports.Commands;

namespace PushQueue.Transports.Streaming;

/// <summary>Subscribes and unsubscribes connections that hold many subscriptions: the socket at <c>/ws</c> and the hub.</summary>
internal sealed class Subscriptions(
    Dispatcher dispatcher,
    QueueSets sets,
    ConsumerConnections connections,
    QueuePolicies policies,
    LimitHits hits,
    IOptions<DeliveryOptions> options)
{
    private const string Match = "match";

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

    /// <summary>See <see cref="QueuePolicies"/>; null when a consumer may join.</summary>
    public ValueTask<Problem?> PrepareAsync(QueueName queue, ConsumerOptions options) => policies.PrepareAsync(queue, options);

    /// <summary>Joins a connection to many queues, or says what is wrong; then it has joined none.</summary>
    /// <param name="buffer">The connection, as far as delivery sees it.</param>
    /// <param name="request">The queues and options. Its cursor is taken out.</param>
    /// <param name="envelopes">The form of its messages.</param>
    /// <param name="raw">The same, if it wants bodies alone.</param>
    /// <param name="countSubscriptions">Counts the queues that the client's connection is subscribed to; null if that is the buffer's.
    /// </param>
    /// <exception cref="StoreUnavailableException">The store is out of reach; the connection has joined none.</exception>
    public async ValueTask<(SetOpening? Opening, Problem? Problem)> SubscribeManyAsync(
        OutboundBuffer buffer, ManyRequest request, MessageFormat envelopes, MessageFormat raw, Func<int>? countSubscriptions = null)
    {
        var most = options.Value.SubscriptionsPerConnectionMax;
        countSubscriptions ??= () => buffer.Consumers.Length;
        if (StreamAdmission.WhyNot(connections) is { } refusal)
        {
            return (null, refusal);
        }

        // The application that hosts the queue needs no caller; it may do everything.
        var caller = (buffer.Connection.Rights as ConnectionCaller)?.Caller;
        foreach (var queue in request.Selection.Names)
        {
            if (caller?.WhyNot(Permissions.Listen, queue) is { } forbidden)
            {
                return (null, forbidden);
            }

            if (Find(buffer, queue) is not null)
            {
                return (null, AlreadyThere(queue));
            }
        }

        if (countSubscriptions() + request.Selection.Names.Count > most)
        {
            hits.Count(LimitNames.Subscriptions);
            return (null, TooManyWith(most));
        }

        if (await policies.PrepareAsync(request.Selection.Names, request.Options) is { } problem)
        {
            return (null, problem);
        }

        var opening = await sets.OpenAsync(buffer, new SetRequest(
            request.Selection,
            request.Options.Raw ? raw : envelopes,
            request.Options,
            request.TakeCursor(),
            async queue => await policies.PrepareAsync(queue, request.Options) is null,
            () => most - countSubscriptions()));
        if (opening.Set is not null)
        {
            return (opening, null);
        }

        if (!opening.IsTooMany)
        {
            return (null,
                Problem.BadOption("This connection has a subscription to many queues; unsubscribe first, or open another connection."));
        }

        hits.Count(LimitNames.Subscriptions);
        return (null, most - countSubscriptions() - request.Selection.Names.Count < QueueSelection.MatchingMax
            ? TooManyWith(most)
            : new Problem(
                ProblemType.TooManySubscriptions,
                $"More queues match than a stream may have ({QueueSelection.MatchingMax}); use a narrower pattern."));
    }

    /// <summary>Ends the subscription of a connection to many queues. False where it has none.</summary>
    public bool UnsubscribeMany(OutboundBuffer buffer)
    {
        if (buffer.Set is not { } set)
        {
            return false;
        }

        sets.Close(set);
        return true;
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

        if (Find(buffer, queue) is { Member: null } consumer)
        {
            found = true;
            dispatcher.Unsubscribe(consumer, started: keys);
        }

        return null;
    }

    /// <summary>Reads the only option of a hub call that unsubscribes.</summary>
    /// <param name="json">The options; null for none.</param>
    /// <param name="started">See <see cref="Unsubscribe"/>.</param>
    public static Problem? ReadStarted(JsonElement? json, out ReadOnlySpan<byte> started)
    {
        started = default;
        if (json is not { ValueKind: JsonValueKind.Object } given)
        {
            return CommandFrame.WhyNoOptions(json);
        }

        var reader = new Utf8JsonReader(JsonText.Raw(given), JsonBody.ReaderOptions);
        reader.Read();
        var fields = default(JsonFields);
        while (fields.Next(ref reader, out var name))
        {
            if (name != "started")
            {
                return OptionValues.Unknown(name, "started");
            }

            var start = (int)reader.TokenStartIndex;
            var isNull = reader.TokenType == JsonTokenType.Null;
            reader.Skip();
            started = isNull ? default : JsonText.Raw(given)[start..(int)reader.BytesConsumed];
        }

        return fields.Problem;
    }

    /// <summary>Reads the options of a hub call.</summary>
    public static ConsumerOptionsReader ReadOptions(JsonElement? json) => ReadOptions(json, new ConsumerOptionsReader());

    /// <summary>Reads a hub call that may name many queues. Null where it names one, as a string.</summary>
    public static ManyRequest? ReadMany(JsonElement queues, JsonElement? json, out Problem? problem)
    {
        problem = null;
        var match = json is { ValueKind: JsonValueKind.Object } given && JsonText.TryFind(given, Match, out var found)
            && found.ValueKind != JsonValueKind.Null ? JsonText.Raw(found) : default;
        if (queues.ValueKind == JsonValueKind.String && match.IsEmpty)
        {
            return null;
        }

        var (names, patterns) = (new List<string?>(), new List<string?>());
        problem = (queues.ValueKind == JsonValueKind.Undefined ? null : NameListJson.Read(JsonText.Raw(queues), "The queue", names))
            ?? NameListJson.Read(match, Match, patterns);
        return problem is null
            ? ManyRequest.Of(names, patterns, ReadOptions(json, new ConsumerOptionsReader(isOverMany: true), Match), out problem)
            : null;
    }

    private static ConsumerOptionsReader ReadOptions(JsonElement? json, ConsumerOptionsReader options, string own = "")
    {
        options.Refuse(CommandFrame.WhyNoOptions(json));
        if (json is not { ValueKind: JsonValueKind.Object } given)
        {
            return options;
        }

        var reader = new Utf8JsonReader(JsonText.Raw(given), JsonBody.ReaderOptions);
        reader.Read();
        var fields = default(JsonFields);
        while (fields.Next(ref reader, out var name))
        {
            if (own.Length > 0 && name == own)
            {
                reader.Skip();
                continue;
            }

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

    private static Problem TooManyWith(int most) => new(
        ProblemType.TooManySubscriptions,
        $"With these queues the connection would exceed its limit of {most} subscriptions; open another connection, or use a narrower "
            + "pattern.");

    public static Problem TooMany(int most) =>
        new(ProblemType.TooManySubscriptions, $"This connection has reached its limit of {most} subscriptions; open another connection.");

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
            hits.Count(LimitNames.Subscriptions);
            return TooMany(most);
        }

        return Find(buffer, queue) is null ? null : AlreadyThere(queue);
    }

    private static Problem AlreadyThere(QueueName queue) =>
        Problem.BadOption($"This connection is already subscribed to '{queue}'; unsubscribe first to change its options.");

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
