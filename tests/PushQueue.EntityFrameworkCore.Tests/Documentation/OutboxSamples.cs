using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using PushQueue.Client;

namespace PushQueue.EntityFrameworkCore.Tests.Documentation;

/// <summary>The samples of the outbox and the inbox in docs/application.md, as the page shows them. <c>ApplicationPageTests</c> compares
/// them.</summary>
public static class OutboxSamples
{
    internal static void AddServices(IHostApplicationBuilder builder)
    {
        builder.Services.AddDbContext<ShopDb>(options => options.UseSqlite("Data Source=shop.db"));
        builder.Services.AddPushQueueOutbox<ShopDb>();
        builder.Services.AddPushQueueInbox<ShopDb>();
    }

    internal static void AddHealth(IHostApplicationBuilder builder)
    {
        builder.Services.AddHealthChecks().AddPushQueueOutbox<ShopDb>(ageMax: TimeSpan.FromMinutes(5));
    }

    internal static void AddHandler(IHostApplicationBuilder builder)
    {
        builder.Services.AddPushQueueHandler<Order, SellOrder>("orders", options => options.WithInbox<ShopDb>());
    }

    internal static async Task SellAsync(ShopDb db, Order order)
    {
        db.Sales.Add(new Sale { Number = order.Number, Customer = order.Customer });
        db.PutLater("orders", order, new PutOptions { Key = order.Customer });
        await db.SaveChangesAsync();
    }

    internal static async Task RepairAsync(ShopDb db)
    {
        foreach (var refused in await db.Set<OutboxMessage>().Where(row => row.IsSetAside).ToListAsync())
        {
            Console.WriteLine($"{refused.Queue}: {refused.MessageId}: {refused.Reason}");
        }

        await db.PutSetAsideAgainAsync("orders");
    }

    public sealed class ShopDb(DbContextOptions<ShopDb> options) : DbContext(options)
    {
        public DbSet<Sale> Sales => Set<Sale>();

        protected override void OnModelCreating(ModelBuilder modelBuilder) => modelBuilder.AddPushQueueOutbox().AddPushQueueInbox();
    }

    public sealed class SellOrder(ShopDb db) : IMessageHandler<Order>
    {
        public Task HandleAsync(Order value, MessageContext context, CancellationToken cancellationToken)
        {
            db.Sales.Add(new Sale { Number = value.Number, Customer = value.Customer });
            db.PutLater("invoices", value);
            return Task.CompletedTask;
        }
    }

    public sealed class Sale
    {
        public int Id { get; init; }

        public int Number { get; init; }

        public string Customer { get; init; } = "";
    }

    public sealed record Order(int Number, string Customer);
}
