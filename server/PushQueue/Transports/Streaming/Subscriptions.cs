using System.Text.Json;
using Microsoft.Extensions.Options;
using PushQueue.Delivery;
using PushQueue.Delivery.Encoding;
using PushQueue.Queues;

namespace PushQueue.Transports.Streaming;

/// <summary>Subscribes and unsubscribes connections that hold many subscriptions: the socket at <c>/ws</c> and the hub.</summary>
internal sealed class Subscriptions(Dispatcher dispatcher, IOptions<DeliveryOptions> options)
{
    /// <summary>The new consumer, or what is wrong in one sentence.</summary>
    public async ValueTask<(Consumer? Consumer, string? Error)> SubscribeAsync(
        OutboundBuffer buffer, string? queueName, ConsumerOptionsReader reader, MessageFormat envelopes, MessageFormat raw)
    {
        if (!QueueName.TryParse(queueName, out var queue, out var whyNot))
        {
            return (null, whyNot);
        }

        if (reader.Error is { } error)
        {
            return (null, error);
        }

        if (dispatcher.IsDraining)
        {
            return (null, CloseReason.ServerShutdown.Sentence);
        }

        var most = options.Value.SubscriptionsPerConnectionMax;
        if (buffer.Consumers.Length >= most)
        {
            return (null, $"This connection has {most} subscriptions, which is the limit; open another one.");
        }

        if (Find(buffer, queue) is not null)
        {
            return (null, $"This connection is subscribed to '{queue}' already; unsubscribe first to change its options.");
        }

        var format = reader.Options.Raw ? raw : envelopes;
        return (await dispatcher.SubscribeAsync(queue, buffer, format, reader.Options), null);
    }

    public bool Unsubscribe(OutboundBuffer buffer, string? queueName)
    {
        if (!QueueName.TryParse(queueName, out var queue, out _) || Find(buffer, queue) is not { } consumer)
        {
            return false;
        }

        dispatcher.Unsubscribe(consumer);
        return true;
    }

    /// <summary>Reads options out of a JSON object, leaving out the fields that are not options.</summary>
    public static ConsumerOptionsReader ReadOptions(JsonElement? json, params ReadOnlySpan<string> notOptions)
    {
        var reader = new ConsumerOptionsReader();
        if (json is not { ValueKind: JsonValueKind.Object } given)
        {
            return reader;
        }

        foreach (var field in given.EnumerateObject())
        {
            if (!notOptions.Contains(field.Name) && field.Value.ValueKind != JsonValueKind.Null)
            {
                reader.Read(field.Name, field.Value.ValueKind == JsonValueKind.String ? field.Value.GetString() : field.Value.GetRawText());
            }
        }

        return reader;
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
