using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.EntityFrameworkCore.Infrastructure;
using PushQueue.Client;
using PushQueue.EntityFrameworkCore;

namespace Microsoft.EntityFrameworkCore;

/// <summary>Messages that are put when the application's own transaction is committed.</summary>
public static class PushQueueOutboxExtensions
{
    private const string ReflectionWarning = "JSON by reflection needs types that trimming may remove. Give a JsonTypeInfo instead.";

    /// <summary>
    /// Puts a message later: adds a row to the context, which the next <c>SaveChanges</c> stores in the application's own transaction.
    /// After the commit the forwarder puts the message. A transaction that is rolled back puts nothing.
    /// </summary>
    /// <param name="context">The context; its model has <c>AddPushQueueOutbox</c>.</param>
    /// <param name="queue">The queue.</param>
    /// <param name="message">The message. Without <see cref="PutOptions.Id"/> it gets an id that no other database gives. A
    /// <see cref="PutOptions.Delay"/> counts from now. <see cref="PutOptions.WaitForAck"/> is refused.</param>
    /// <returns>The id of the message.</returns>
    /// <exception cref="ArgumentException">The server would refuse the message, for example for the name of the queue.</exception>
    /// <exception cref="InvalidOperationException">The context has no outbox.</exception>
    public static string PutLater(this DbContext context, string queue, PutMessage message)
    {
        ArgumentNullException.ThrowIfNull(context);
        OutboxModel.EnsureIn(context);
        var now = TimeOf(context).GetUtcNow();
        PutRules.Check(queue, message, now);
        var id = message.Options?.Id ?? Guid.CreateVersion7(now).ToString("D");
        var row = OutboxMessage.Of(
            queue, id, message.ContentType, message.Body.ToArray(), StoredOptions.Write(message.Options, now), now);
        _ = context.Add(row);
        PendingRows.Of(context).Add(row);
        return id;
    }

    /// <summary>Puts text later.</summary>
    /// <inheritdoc cref="PutLater(DbContext, string, PutMessage)"/>
    /// <param name="context">The context; its model has <c>AddPushQueueOutbox</c>.</param>
    /// <param name="queue">The queue.</param>
    /// <param name="text">The body.</param>
    /// <param name="options">How it is put.</param>
    public static string PutLater(this DbContext context, string queue, string text, PutOptions? options = null) =>
        context.PutLater(queue, PutMessage.Text(text, options));

    /// <summary>Puts a value later as JSON.</summary>
    /// <inheritdoc cref="PutLater(DbContext, string, PutMessage)"/>
    /// <param name="context">The context; its model has <c>AddPushQueueOutbox</c>.</param>
    /// <param name="queue">The queue.</param>
    /// <param name="value">The body.</param>
    /// <param name="type">How it becomes JSON.</param>
    /// <param name="options">How it is put.</param>
    public static string PutLater<T>(this DbContext context, string queue, T value, JsonTypeInfo<T> type, PutOptions? options = null) =>
        context.PutLater(queue, PutMessage.Json(value, type, options));

    /// <summary>Puts a value later as JSON, with names in camel case: <c>db.PutLater("orders", order)</c>.</summary>
    /// <inheritdoc cref="PutLater(DbContext, string, PutMessage)"/>
    /// <param name="context">The context; its model has <c>AddPushQueueOutbox</c>.</param>
    /// <param name="queue">The queue.</param>
    /// <param name="value">The body.</param>
    /// <param name="options">How it is put.</param>
    [OverloadResolutionPriority(-1)]
    [RequiresUnreferencedCode(ReflectionWarning)]
    [RequiresDynamicCode(ReflectionWarning)]
    public static string PutLater<T>(this DbContext context, string queue, T value, PutOptions? options = null) =>
        context.PutLater(queue, value, (JsonTypeInfo<T>)JsonSerializerOptions.Web.GetTypeInfo(typeof(T)), options);

    /// <summary>
    /// Has messages put again that the server has refused, in their old order before all that waits. Call it when the cause is repaired,
    /// for example a permission. The forwarder begins at its next poll.
    /// </summary>
    /// <param name="context">The context.</param>
    /// <param name="queue">The queue; null for all.</param>
    /// <param name="cancellationToken">Ends the query.</param>
    /// <returns>How many messages were set aside.</returns>
    public static Task<int> PutSetAsideAgainAsync(
        this DbContext context, string? queue = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(context);
        OutboxModel.EnsureIn(context);
        return context.Set<OutboxMessage>()
            .Where(row => row.IsSetAside && (queue == null || row.Queue == queue))
            .ExecuteUpdateAsync(
                set => set.SetProperty(static row => row.IsSetAside, false).SetProperty(static row => row.Reason, (string?)null),
                cancellationToken);
    }

    /// <summary>The clock of the application's services; a context that was made without them has the system's.</summary>
    private static TimeProvider TimeOf(DbContext context) =>
        context.GetService<IDbContextOptions>().FindExtension<CoreOptionsExtension>()?.ApplicationServiceProvider
            ?.GetService(typeof(TimeProvider)) as TimeProvider ?? TimeProvider.System;
}
