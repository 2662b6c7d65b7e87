using System.Runtime.CompilerServices;
using System.Text.Json.Serialization.Metadata;

namespace PushQueue.Client;

/// <summary>Consume.</summary>
public sealed partial class PushQueueClient
{
    /// <summary>Has a queue's messages pushed: <c>await foreach (var message in client.ConsumeAsync("orders"))</c>.</summary>
    /// <param name="queue">The queue; it need not exist yet.</param>
    /// <param name="options">How; null for auto ack over a WebSocket.</param>
    /// <param name="cancellationToken">Ends the enumeration with an <see cref="OperationCanceledException"/>.</param>
    public MessageStream ConsumeAsync(string queue, ConsumeOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(queue);
        options ??= new ConsumeOptions();
        return options.Hub is not null && options.Transport != ConsumeTransport.SignalR
            ? throw new ArgumentException("A hub connection needs the transport SignalR.", nameof(options))
            : new MessageStream(this, queue, options, cancellationToken);
    }

    /// <summary>Has a queue's messages pushed whose bodies are JSON.</summary>
    /// <param name="queue">The queue.</param>
    /// <param name="type">How a body is read; by source generation no reflection is needed.</param>
    /// <param name="options">How; null for auto ack over a WebSocket.</param>
    /// <param name="cancellationToken">Ends the enumeration with an <see cref="OperationCanceledException"/>.</param>
    public async IAsyncEnumerable<Message<T>> ConsumeAsync<T>(
        string queue, JsonTypeInfo<T> type, ConsumeOptions? options = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await foreach (var message in ConsumeAsync(queue, options, cancellationToken).ConfigureAwait(false))
        {
            yield return new Message<T>(message, type);
        }
    }
}
