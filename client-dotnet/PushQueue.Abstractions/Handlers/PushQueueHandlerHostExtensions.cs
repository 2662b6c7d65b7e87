using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.DependencyInjection;
using PushQueue.Client;
using PushQueue.Client.Handlers;
using PushQueue.Client.Wire;

namespace Microsoft.Extensions.Hosting;

/// <summary>Functions that handle the messages of queues.</summary>
public static class PushQueueHandlerHostExtensions
{
    /// <summary>
    /// Handles a queue's messages with a function: <c>app.MapQueue("orders", async (Order order, Db db, CancellationToken token) => …)</c>.
    /// Its parameters, in any order, are the body (read as JSON), services of the message's scope, <see cref="Message"/>,
    /// <see cref="MessageContext"/> and <see cref="CancellationToken"/>. It returns a <see cref="Task"/>, whose result is dropped, a
    /// <see cref="ValueTask"/> or nothing. To return is to acknowledge the message, to throw is a failed attempt.
    /// </summary>
    /// <param name="host">The host, before it starts.</param>
    /// <param name="queue">The queue; it need not exist yet.</param>
    /// <param name="handler">The function.</param>
    /// <param name="configure">How messages are handled.</param>
    /// <exception cref="ArgumentException">The function cannot be a handler, or an option has an impossible value.</exception>
    /// <exception cref="InvalidOperationException">The host has no queue or runs already, or the queue has a handler.</exception>
    [RequiresUnreferencedCode(ReflectedJson.Warning)]
    [RequiresDynamicCode(ReflectedJson.Warning)]
    public static IHost MapQueue(this IHost host, string queue, Delegate handler, Action<HandlerOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(handler);
        var options = OptionsOf(configure);
        var pipeline = DelegateBinder.Bind(handler, options, host.Services);
        return Map(host, queue, options, pipeline);
    }

    /// <summary>Handles a queue's messages with a function of the message's context, without reflection.</summary>
    /// <param name="host">The host, before it starts.</param>
    /// <param name="queue">The queue; it need not exist yet.</param>
    /// <param name="handler">The function.</param>
    /// <param name="configure">How messages are handled.</param>
    /// <exception cref="ArgumentException">An option has an impossible value.</exception>
    /// <exception cref="InvalidOperationException">The host has no queue or runs already, or the queue has a handler.</exception>
    public static IHost MapQueue(this IHost host, string queue, MessageDelegate handler, Action<HandlerOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(handler);
        var options = OptionsOf(configure);
        return Map(host, queue, options, HandlerPipeline.Of(reader: null, handler, options));
    }

    private static HandlerOptions OptionsOf(Action<HandlerOptions>? configure)
    {
        var options = new HandlerOptions();
        configure?.Invoke(options);
        return options.Checked();
    }

    private static IHost Map(IHost host, string queue, HandlerOptions options, HandlerPipeline pipeline)
    {
        ArgumentException.ThrowIfNullOrEmpty(queue);
        var registry = host.Services.GetService<HandlerRegistry>() ?? throw new InvalidOperationException(
            $"The handler of '{queue}' has no queue to consume: add AddPushQueueClient(…), or AddPushQueue(…) of the server.");
        registry.Add(new MappedHandler(queue, options, _ => pipeline));
        return host;
    }
}
