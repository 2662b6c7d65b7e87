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

    /// <inheritdoc/>
    public MessageStream ConsumeManyAsync(
        IEnumerable<string> queues, IEnumerable<string> patterns, ConsumeOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        var selection = QueueSelection.Of(queues, patterns);
        options ??= new ConsumeOptions();
        return options is HubConsumeOptions && options.Transport != ConsumeTransport.SignalR
            ? throw new ArgumentException("A hub connection needs the transport SignalR.", nameof(options))
            : new HttpMessageStream(this, "", options, cancellationToken, selection);
    }
}
