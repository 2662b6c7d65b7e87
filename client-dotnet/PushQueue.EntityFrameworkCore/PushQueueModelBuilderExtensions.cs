using PushQueue.EntityFrameworkCore;

namespace Microsoft.EntityFrameworkCore;

/// <summary>The tables of the outbox and the inbox in the model of an application.</summary>
public static class PushQueueModelBuilderExtensions
{
    /// <summary>
    /// Adds the outbox: the tables <c>PushQueueOutbox</c> and <c>PushQueueOutboxLeases</c>. Their text columns need a collation that
    /// distinguishes upper and lower case, as SQLite and PostgreSQL have by default.
    /// </summary>
    /// <param name="modelBuilder">The builder of <c>OnModelCreating</c>.</param>
    /// <param name="schema">The schema of the tables; null for the default.</param>
    public static ModelBuilder AddPushQueueOutbox(this ModelBuilder modelBuilder, string? schema = null)
    {
        ArgumentNullException.ThrowIfNull(modelBuilder);
        OutboxModel.AddTo(modelBuilder, schema);
        return modelBuilder;
    }

    /// <summary>
    /// Adds the inbox: the table <c>PushQueueInbox</c>. Its text columns need a collation that distinguishes upper and lower case, as
    /// SQLite and PostgreSQL have by default.
    /// </summary>
    /// <param name="modelBuilder">The builder of <c>OnModelCreating</c>.</param>
    /// <param name="schema">The schema of the table; null for the default.</param>
    public static ModelBuilder AddPushQueueInbox(this ModelBuilder modelBuilder, string? schema = null)
    {
        ArgumentNullException.ThrowIfNull(modelBuilder);
        InboxModel.AddTo(modelBuilder, schema);
        return modelBuilder;
    }
}
