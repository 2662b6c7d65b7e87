using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace PushQueue.EntityFrameworkCore;

/// <summary>The tables of the outbox.</summary>
internal static class OutboxModel
{
    // UTF-8 is never shorter than the text in UTF-16 units.
    private const int NameMax = 255;
    private const int ReasonMax = 1000;
    private const int OwnerMax = 200;

    /// <summary>A time as milliseconds since 1970: databases differ in the types and precision of times.</summary>
    public static ValueConverter<DateTimeOffset, long> Milliseconds { get; } =
        new(static time => time.ToUnixTimeMilliseconds(), static milliseconds => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds));

    public static void AddTo(ModelBuilder model, string? schema)
    {
        model.Entity<OutboxMessage>(row =>
        {
            _ = row.ToTable("PushQueueOutbox", schema);
            _ = row.HasKey(message => message.Id);
            _ = row.Property(message => message.Id).ValueGeneratedNever();
            _ = row.Property(message => message.Queue).HasMaxLength(NameMax);
            _ = row.Property(message => message.MessageId).HasMaxLength(NameMax);
            _ = row.Property(message => message.ContentType).HasMaxLength(NameMax);
            _ = row.Property(message => message.PutAt).HasConversion(Milliseconds);
            _ = row.Property(message => message.Reason).HasMaxLength(ReasonMax);
            _ = row.HasIndex(message => new { message.IsSetAside, message.Queue, message.Number });
        });
        model.Entity<OutboxLease>(row =>
        {
            _ = row.ToTable("PushQueueOutboxLeases", schema);
            _ = row.HasKey(lease => lease.Queue);
            _ = row.Property(lease => lease.Queue).HasMaxLength(NameMax);
            _ = row.Property(lease => lease.Owner).HasMaxLength(OwnerMax);
            _ = row.Property(lease => lease.BeatAt).HasConversion(Milliseconds);
        });
    }

    /// <exception cref="InvalidOperationException">The context has no outbox.</exception>
    public static void EnsureIn(DbContext context)
    {
        if (context.Model.FindEntityType(typeof(OutboxMessage)) is null)
        {
            throw new InvalidOperationException(
                $"{context.GetType().Name} has no outbox: call modelBuilder.AddPushQueueOutbox() in its OnModelCreating.");
        }
    }
}
