using PushQueue.Client.Streaming;

namespace PushQueue.Client;

/// <summary>Consume.</summary>
public sealed partial class PushQueueClient
{
    /// <inheritdoc/>
    public MessageStream ConsumeAsync(string queue, ConsumeOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(queue);
        options ??= new ConsumeOptions();
        return options is HubConsumeOptions && options.Transport != ConsumeTransport.SignalR
            ? throw new ArgumentException("A hub connection needs the transport SignalR.", nameof(options))
            : new HttpMessageStream(this, queue, options, cancellationToken);
    }

    /// <summary>
    /// Has the messages of many queues pushed on one stream: <c>client.ConsumeManyAsync(["orders", "invoices"])</c>. Each message names its
    /// queue; there is no order between queues. A reconnect resumes all of them. <see cref="ConsumeOptions.Grace"/> has no effect.
    /// </summary>
    /// <param name="queues">The queues, at most 100; they need not exist yet.</param>
    /// <param name="options">How; null for auto ack over a WebSocket. <see cref="ConsumeOptions.Prefetch"/> counts messages of all
    /// queues.</param>
    /// <param name="cancellationToken">Ends the enumeration with an <see cref="OperationCanceledException"/>.</param>
    public MessageStream ConsumeManyAsync(
        IEnumerable<string> queues, ConsumeOptions? options = null, CancellationToken cancellationToken = default) =>
        ConsumeManyAsync(queues, [], options, cancellationToken);

    /// <summary>
    /// Has the messages of all queues pushed whose names match a pattern, also of those that are made later:
    /// <c>client.ConsumeManyAsync("orders.*")</c>.
    /// </summary>
    /// <param name="pattern">A star stands for any characters. At most 1,000 queues may match.</param>
    /// <param name="options">How; null for auto ack over a WebSocket.</param>
    /// <param name="cancellationToken">Ends the enumeration with an <see cref="OperationCanceledException"/>.</param>
    public MessageStream ConsumeManyAsync(
        string pattern, ConsumeOptions? options = null, CancellationToken cancellationToken = default) =>
        ConsumeManyAsync([], [pattern], options, cancellationToken);

    /// <summary>Has the messages of queues pushed that are named or that match a pattern.</summary>
    /// <param name="queues">The queues, at most 100; they need not exist yet.</param>
    /// <param name="patterns">Patterns of names, at most 20; a star stands for any characters.</param>
    /// <param name="options">How; null for auto ack over a WebSocket.</param>
    /// <param name="cancellationToken">Ends the enumeration with an <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="ArgumentException">There is no queue and no pattern.</exception>
    public MessageStream ConsumeManyAsync(
        IEnumerable<string> queues,
        IEnumerable<string> patterns,
        ConsumeOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(queues);
        ArgumentNullException.ThrowIfNull(patterns);
        var selection = new QueueSelection([.. queues], [.. patterns]);
        options ??= new ConsumeOptions();
        return selection.Queues.Length + selection.Match.Length == 0
            ? throw new ArgumentException("Name a queue, or give a pattern.", nameof(queues))
            : options is HubConsumeOptions && options.Transport != ConsumeTransport.SignalR
            ? throw new ArgumentException("A hub connection needs the transport SignalR.", nameof(options))
            : new HttpMessageStream(this, "", options, cancellationToken, selection);
    }
}
