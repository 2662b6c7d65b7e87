using PushQueue.Client.Handlers;

namespace PushQueue.Client;

/// <summary>Handlers in programs without a host.</summary>
public static class PushQueueHandlerExtensions
{
    /// <summary>
    /// Handles a queue's messages until <paramref name="stopping"/> is cancelled, and then returns when what has begun is done. To return
    /// is to acknowledge a message, to throw is a failed attempt. A server that cannot be reached is waited for. In a host use
    /// <c>AddPushQueueHandler</c> or <c>MapQueue</c>.
    /// </summary>
    /// <param name="client">The client.</param>
    /// <param name="queue">The queue; it need not exist yet, and becomes roundrobin where it has no policy.</param>
    /// <param name="handle">The work on one message. Its token is cancelled when the message is lost, and when the work must stop.</param>
    /// <param name="options">How; null for one message after the other.</param>
    /// <param name="stopping">Ends it in order.</param>
    /// <exception cref="ArgumentException">An option has an impossible value.</exception>
    /// <exception cref="PushQueueException">The server refuses it; or the queue broadcasts, so that there is nothing to ack
    /// (<see cref="ProblemTypes.NotRoundRobin"/>); or the queue was deleted (<see cref="ProblemTypes.QueueDeleted"/>).</exception>
    public static Task HandleAsync(
        this IPushQueueClient client, string queue, Func<Message, CancellationToken, Task> handle, HandlerOptions? options = null,
        CancellationToken stopping = default)
    {
        ArgumentNullException.ThrowIfNull(client);
        ArgumentException.ThrowIfNullOrEmpty(queue);
        ArgumentNullException.ThrowIfNull(handle);
        options = (options ?? new HandlerOptions()).Checked();
        options.DrainTimeout ??= TimeSpan.FromSeconds(30);
        if (client is IClientSurroundings surroundings)
        {
            options.LoggerFactory ??= surroundings.LoggerFactory;
            options.TimeProvider ??= surroundings.TimeProvider;
        }

        var pipeline = HandlerPipeline.Of(reader: null, context => handle(context.Message, context.CancellationToken), options);
        return new HandlerRunner(client, queue, options, pipeline, scopes: null).RunAsync(stopping, CancellationToken.None);
    }
}
