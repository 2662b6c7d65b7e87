using Microsoft.EntityFrameworkCore;

namespace PushQueue.EntityFrameworkCore;

/// <summary>The table of the inbox.</summary>
internal static class InboxModel
{
    private const int NameMax = 255;

    public static void AddTo(ModelBuilder model, string? schema) => model.Entity<InboxMessage>(row =>
    {
        _ = row.ToTable("PushQueueInbox", schema);
        _ = row.HasKey(message => new { message.Queue, message.MessageId });
        _ = row.Property(message => message.Queue).HasMaxLength(NameMax);
        _ = row.Property(message => message.MessageId).HasMaxLength(NameMax);
        _ = row.Property(message => message.HandledAt).HasConversion(OutboxModel.Milliseconds);
        _ = row.HasIndex(message => message.HandledAt);
    });

    /// <exception cref="InvalidOperationException">The context has no inbox.</exception>
    public static void EnsureIn(DbContext context)
    {
        if (context.Model.FindEntityType(typeof(InboxMessage)) is null)
        {
            throw new InvalidOperationException(
                $"{context.GetType().Name} has no inbox: call modelBuilder.AddPushQueueInbox() in its OnModelCreating.");
        }
    }
}
