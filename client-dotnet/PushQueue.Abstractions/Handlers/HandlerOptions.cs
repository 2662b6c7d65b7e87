using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using PushQueue.Client.Handlers;

namespace PushQueue.Client;

/// <summary>How messages are handled. Changes after the registration have no effect.</summary>
public sealed class HandlerOptions
{
    /// <summary>How many messages are handled at once; 1 to 10,000. Default 1: one after the other, in the order of the queue.</summary>
    public int Concurrency { get; set; } = 1;

    /// <summary>
    /// How many messages this program may hold, at least <see cref="Concurrency"/>, at most 10,000. More spares short work the wait for the
    /// next message; what waits here waits although another program may be idle. Messages that were not begun when the handler stops go
    /// back uncounted. Null: as many as are handled at once.
    /// </summary>
    public int? Prefetch { get; set; }

    /// <summary>The name under which the server lists the worker. Null for the machine's name and the process.</summary>
    public string? Name { get; set; }

    /// <summary>The length of a lease, which is extended while the handler runs; 100 ms to 24 h. Null: a lease lives as long as the
    /// connection.</summary>
    public TimeSpan? TimeToRun { get; set; }

    /// <summary>An attempt that takes longer has failed: its token is cancelled, and the message is given back whether the handler returns
    /// or not. Null for no limit.</summary>
    public TimeSpan? Timeout { get; set; }

    /// <summary>The wait after a failed attempt. Null: the <c>retryDelay</c> of the message or of the queue; where both have none, one
    /// second after the first attempt, doubling up to a minute.</summary>
    public TimeSpan? RetryDelay { get; set; }

    /// <summary>How long handlers that run may take to end when the program stops. Then they are cancelled, and their messages are given
    /// back. Null: as long as the host waits; 30 s without a host.</summary>
    public TimeSpan? DrainTimeout { get; set; }

    /// <summary>The end of a message whose body is not of the handler's type. Default: it is dead-lettered.</summary>
    public BadBodyAction BadBody { get; set; }

    /// <summary>How bodies are read as JSON by reflection. Null for names in camel case.</summary>
    public JsonSerializerOptions? Json { get; set; }

    /// <summary>How messages come: transport, filter, grace time. The options above win.</summary>
    public ConsumeOptions Consume { get; set; } = new();

    /// <summary>Called when there is no connection, at first or again. Runs on a thread of the pool.</summary>
    public Action<Reconnecting>? Reconnecting { get; set; }

    /// <summary>Where failures are logged. Null: the loggers of the host or of the client; where they have none, nowhere.</summary>
    public ILoggerFactory? LoggerFactory { get; set; }

    /// <summary>Where timers come from. Null: the host's or the client's, else <see cref="System.TimeProvider.System"/>.</summary>
    public TimeProvider? TimeProvider { get; set; }

    internal List<MessageFilter> Filters { get; } = [];

    /// <summary>Adds a filter around the handler, inside of those that were added before.</summary>
    public HandlerOptions AddFilter(Func<MessageContext, MessageDelegate, Task> filter)
    {
        ArgumentNullException.ThrowIfNull(filter);
        Filters.Add(MessageFilter.Of(filter));
        return this;
    }

    /// <summary>Adds a filter around the handler. Each message gets one from the services of its scope, or a new one.</summary>
    public HandlerOptions AddFilter<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TFilter>()
        where TFilter : class, IMessageFilter
    {
        Filters.Add(MessageFilter.Of<TFilter>());
        return this;
    }
}
