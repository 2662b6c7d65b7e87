using Microsoft.EntityFrameworkCore;
using PushQueue.EntityFrameworkCore;

namespace PushQueue.Client;

/// <summary>Handlers that do the work of a message once.</summary>
public static class PushQueueInboxExtensions
{
    /// <summary>
    /// Does the work of each message once, as far as it is in the database: the handler runs in a transaction of the context of its scope,
    /// in which the id of the message is written, too. Its changes are saved and committed, and then the message is acknowledged. A
    /// message whose id is known is acknowledged without the handler. Filters that are added later run inside of the transaction.
    /// </summary>
    /// <remarks>A message without an id of its producer has a number as its id. Numbers begin at 1 again when a queue is deleted and made
    /// again; then delete the queue's rows from the inbox, or its new messages count as known.</remarks>
    /// <typeparam name="TContext">The context; the services have <c>AddPushQueueInbox</c> for it.</typeparam>
    /// <param name="options">The options of the handler.</param>
    public static HandlerOptions WithInbox<TContext>(this HandlerOptions options)
        where TContext : DbContext
    {
        ArgumentNullException.ThrowIfNull(options);
        return options.AddFilter(static (context, next) =>
            (context.Services.GetService(typeof(InboxFilter<TContext>)) as InboxFilter<TContext>
                ?? throw new InvalidOperationException(
                    $"The inbox of {typeof(TContext).Name} is missing: call services.AddPushQueueInbox<{typeof(TContext).Name}>()."))
            .InvokeAsync(context, next));
    }
}
