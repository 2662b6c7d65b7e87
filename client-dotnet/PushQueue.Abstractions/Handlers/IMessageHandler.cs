namespace PushQueue.Client;

/// <summary>
/// Handles the messages of a queue, one object for each message: <c>services.AddPushQueueHandler&lt;Order, OrderHandler&gt;("orders")</c>.
/// To return is to acknowledge the message. To throw is a failed attempt; see <see cref="RetryAfterException"/> and
/// <see cref="DeadLetterException"/>.
/// </summary>
/// <typeparam name="T">The type of the body. It is read as JSON, except for <see cref="Message"/>, <c>byte[]</c> and
/// <c>ReadOnlyMemory&lt;byte&gt;</c>; a <c>string</c> is also the text of a <c>text/…</c> body.</typeparam>
public interface IMessageHandler<in T>
{
    /// <summary>Does the work. A message may come a second time, when its ack did not reach the server.</summary>
    /// <param name="value">The body.</param>
    /// <param name="context">The message, and the services of its scope.</param>
    /// <param name="cancellationToken">Cancelled when the message is lost (its lease ended, it was cancelled), when
    /// <see cref="HandlerOptions.Timeout"/> is over, and when the host cannot wait any longer.</param>
    Task HandleAsync(T value, MessageContext context, CancellationToken cancellationToken);
}
