using Microsoft.EntityFrameworkCore;

namespace PushQueue.EntityFrameworkCore.Tests.Support;

/// <summary>The database of an application: sales, and messages about them.</summary>
public sealed class TestDb(DbContextOptions<TestDb> options) : DbContext(options)
{
    public DbSet<Sale> Sales => Set<Sale>();

    protected override void OnModelCreating(ModelBuilder modelBuilder) => modelBuilder.AddPushQueueOutbox().AddPushQueueInbox();
}

/// <summary>A row of the application.</summary>
public sealed class Sale
{
    public int Id { get; init; }

    public string Item { get; init; } = "";
}
