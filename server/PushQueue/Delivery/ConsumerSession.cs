using PushQueue.Delivery.Encoding;
using PushQueue.Queues;

namespace PushQueue.Delivery;

/// <summary>The life of one connection, from its registration until its consumers are gone and no write is pending.</summary>
internal sealed class ConsumerSession(Dispatcher dispatcher, OutboundBuffer buffer) : IAsyncDisposable
{
    public OutboundBuffer Buffer => buffer;

    /// <summary>See <see cref="Dispatcher.SubscribeAsync"/>.</summary>
    public ValueTask<Consumer> SubscribeAsync(QueueName queue, MessageFormat format, ConsumerOptions options) =>
        dispatcher.SubscribeAsync(queue, buffer, format, options);

    /// <summary>Ends all consumers of the connection: what they held goes back or waits for them. The connection is forgotten.</summary>
    public ValueTask DisposeAsync() => new(dispatcher.EndAsync(buffer));
}
