using Microsoft.Extensions.Options;

namespace PushQueue.Delivery;

/// <summary>Where every connection that holds consumers begins, over any transport.</summary>
internal sealed class ConsumerConnections(
    Dispatcher dispatcher, ConsumerRegistry registry, CoarseClock clock, IOptions<DeliveryOptions> options)
{
    /// <summary>The node is stopping, and takes no new connection.</summary>
    public bool IsDraining => dispatcher.IsDraining;

    /// <summary>Slow readers hold more memory than allowed; new connections are refused until it is released.</summary>
    public bool IsShortOfMemory => registry.Memory.IsExceeded;

    /// <summary>
    /// Registers a connection: from here on it is watched, counted and drained. Nothing is written to it before its buffer is opened, so
    /// that a consumer can join before the transport has answered. Disposing the session ends it, whether it was opened or not.
    /// </summary>
    public ConsumerSession Begin(IConsumerConnection connection)
    {
        var buffer = new OutboundBuffer(connection, clock, options.Value);
        registry.Add(buffer);
        return new ConsumerSession(dispatcher, buffer);
    }
}
