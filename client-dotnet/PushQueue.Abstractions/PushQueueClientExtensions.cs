using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Text.Json.Serialization.Metadata;
using PushQueue.Client.Wire;

namespace PushQueue.Client;

/// <summary>Bodies that are text, or values that are written and read as JSON: by source generation, or by reflection.</summary>
public static class PushQueueClientExtensions
{
    /// <summary>Puts text.</summary>
    public static Task<PutResult> PutAsync(
        this IPushQueueProducer client, string queue, string text, PutOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(client);
        return client.PutAsync(queue, PutMessage.Text(text, options), cancellationToken);
    }

    /// <summary>Puts a value as JSON.</summary>
    public static Task<PutResult> PutAsync<T>(
        this IPushQueueProducer client, string queue, T value, JsonTypeInfo<T> type, PutOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(client);
        return client.PutAsync(queue, PutMessage.Json(value, type, options), cancellationToken);
    }

    /// <summary>Puts a value as JSON, with names in camel case.</summary>
    [OverloadResolutionPriority(-1)]
    [RequiresUnreferencedCode(ReflectedJson.Warning)]
    [RequiresDynamicCode(ReflectedJson.Warning)]
    public static Task<PutResult> PutAsync<T>(
        this IPushQueueProducer client, string queue, T value, PutOptions? options = null,
        CancellationToken cancellationToken = default) =>
        client.PutAsync(queue, value, ReflectedJson.TypeOf<T>(), options, cancellationToken);

    /// <summary>Puts many values as JSON in one step, with names in camel case: all of them or none.</summary>
    [OverloadResolutionPriority(-1)]
    [RequiresUnreferencedCode(ReflectedJson.Warning)]
    [RequiresDynamicCode(ReflectedJson.Warning)]
    public static Task<PutManyResult> PutManyAsync<T>(
        this IPushQueueProducer client, string queue, IEnumerable<T> values, PutOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(client);
        return client.PutManyAsync(queue, values, ReflectedJson.TypeOf<T>(), options, cancellationToken);
    }

    /// <summary>
    /// Has the messages of many queues pushed on one stream: <c>client.ConsumeManyAsync(["orders", "invoices"])</c>. See
    /// <see cref="IPushQueueConsumer.ConsumeManyAsync"/>.
    /// </summary>
    /// <param name="client">The client.</param>
    /// <param name="queues">The queues, at most 100; they need not exist yet.</param>
    /// <param name="options">How; null for auto ack.</param>
    /// <param name="cancellationToken">Ends the enumeration with an <see cref="OperationCanceledException"/>.</param>
    public static MessageStream ConsumeManyAsync(
        this IPushQueueConsumer client, IEnumerable<string> queues, ConsumeOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(client);
        return client.ConsumeManyAsync(queues, [], options, cancellationToken);
    }

    /// <summary>
    /// Has the messages of all queues pushed whose names match a pattern, also of those that are made later:
    /// <c>client.ConsumeManyAsync("orders.*")</c>. See <see cref="IPushQueueConsumer.ConsumeManyAsync"/>.
    /// </summary>
    /// <param name="client">The client.</param>
    /// <param name="pattern">A star stands for any characters. At most 1,000 queues may match.</param>
    /// <param name="options">How; null for auto ack.</param>
    /// <param name="cancellationToken">Ends the enumeration with an <see cref="OperationCanceledException"/>.</param>
    public static MessageStream ConsumeManyAsync(
        this IPushQueueConsumer client, string pattern, ConsumeOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(client);
        return client.ConsumeManyAsync([], [pattern], options, cancellationToken);
    }

    /// <summary>Has a queue's messages pushed whose bodies are JSON.</summary>
    /// <param name="client">The client.</param>
    /// <param name="queue">The queue.</param>
    /// <param name="type">How a body is read; by source generation no reflection is needed.</param>
    /// <param name="options">How; null for auto ack.</param>
    /// <param name="cancellationToken">Ends the enumeration with an <see cref="OperationCanceledException"/>.</param>
    public static async IAsyncEnumerable<Message<T>> ConsumeAsync<T>(
        this IPushQueueConsumer client, string queue, JsonTypeInfo<T> type, ConsumeOptions? options = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(client);
        await foreach (var message in client.ConsumeAsync(queue, options, cancellationToken).ConfigureAwait(false))
        {
            yield return new Message<T>(message, type);
        }
    }

    /// <summary>Has a queue's messages pushed whose bodies are JSON, with names in camel case.</summary>
    /// <param name="client">The client.</param>
    /// <param name="queue">The queue.</param>
    /// <param name="options">How; null for auto ack.</param>
    /// <param name="cancellationToken">Ends the enumeration with an <see cref="OperationCanceledException"/>.</param>
    [OverloadResolutionPriority(-1)]
    [RequiresUnreferencedCode(ReflectedJson.Warning)]
    [RequiresDynamicCode(ReflectedJson.Warning)]
    public static IAsyncEnumerable<Message<T>> ConsumeAsync<T>(
        this IPushQueueConsumer client, string queue, ConsumeOptions? options = null, CancellationToken cancellationToken = default) =>
        client.ConsumeAsync(queue, ReflectedJson.TypeOf<T>(), options, cancellationToken);
}
