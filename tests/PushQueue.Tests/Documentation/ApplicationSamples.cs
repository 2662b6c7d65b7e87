using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using PushQueue.Client;
using PushQueue.Testing;
using Xunit;

namespace PushQueue.Tests.Documentation;

/// <summary>The samples of docs/application.md, as the page shows them. <see cref="ApplicationPageTests"/> compares them.</summary>
public static class ApplicationSamples
{
    internal static WebApplication HostWithHttp(string[] args)
    {
        var builder = WebApplication.CreateBuilder(args);
        builder.Services.AddPushQueue(options => options.Storage.DataDirectory = "data");
        var app = builder.Build();
        app.MapPushQueue();
        return app;
    }

    internal static void MapDashboard(WebApplication app)
    {
        app.MapGroup("/mq").MapPushQueue().RequireAuthorization("operators");
        app.MapPushQueueDashboard("/admin/queues").RequireAuthorization("operators");
    }

    internal static HostApplicationBuilder HostWithoutHttp(string[] args)
    {
        var builder = Host.CreateApplicationBuilder(args);
        builder.Services.AddPushQueue(options => options.Storage.DataDirectory = "data");
        return builder;
    }

    internal static HostApplicationBuilder UseServer(string[] args)
    {
        var builder = Host.CreateApplicationBuilder(args);
        builder.Services.AddPushQueueClient(options => options.Server = new Uri("http://127.0.0.1:8080"));
        return builder;
    }

    internal static void AddHandler(IHostApplicationBuilder builder) =>
        builder.Services.AddPushQueueHandler<Order, ShipOrder>("orders", options => options.Concurrency = 8);

    internal static void AddGeneratedHandler(IHostApplicationBuilder builder) =>
        builder.Services.AddPushQueueHandler<Order, ShipOrder>("orders", ShopJson.Default.Order);

    internal static void MapFunctions(IHost app)
    {
        app.MapQueue("orders", async (Order order, Warehouse warehouse, CancellationToken stop) =>
        {
            await warehouse.ShipAsync(order, stop);
        });
        app.MapQueue("invoices", async (Order order, Warehouse warehouse) =>
        {
            if (order.Customer is "")
            {
                throw new DeadLetterException("The order has no customer.");
            }

            if (!await warehouse.IsOpenAsync())
            {
                throw new RetryAfterException(TimeSpan.FromMinutes(10), "The warehouse is closed.");
            }
        }, options => options.Timeout = TimeSpan.FromMinutes(1));
        app.MapQueue("returns", (Order order, Warehouse warehouse) => warehouse.TakeBackAsync(order), options => options
            .AddFilter<Validation>()
            .AddFilter(async (context, next) =>
            {
                Console.WriteLine($"{context.Queue}: {context.Message.Id}, attempt {context.Message.Attempt}");
                await next(context);
            }));
    }

    internal static async Task HandleAsync(Warehouse warehouse, CancellationToken stopping)
    {
        using var client = new PushQueueClient("http://127.0.0.1:8080");
        await client.HandleAsync("orders", (message, stop) => warehouse.ShipAsync(message.Read<Order>()!, stop), stopping: stopping);
    }

    public sealed class Tests
    {
        [Fact]
        public async Task An_order_is_put()
        {
            await using var queue = PushQueueTestServer.Start();

            await new Shop(queue.Client).OrderAsync(new Order(7, "ann"));

            await queue.WaitForAsync<Order>("orders", order => order.Number == 7);
        }

        [Fact]
        public async Task A_closed_warehouse_is_asked_again()
        {
            await using var queue = PushQueueTestServer.Start();
            var builder = Host.CreateApplicationBuilder();
            builder.Services.AddPushQueueClient().AddSingleton(queue.Client).AddSingleton<Warehouse>();
            using var host = builder.Build();
            var attempts = 0;
            host.MapQueue("orders", (Order order) => attempts++ == 0
                ? throw new RetryAfterException(TimeSpan.FromMinutes(10), "The warehouse is closed.")
                : Task.CompletedTask);
            await host.StartAsync();

            await queue.Client.PutAsync("orders", new Order(7, "ann"));
            await queue.WaitUntilAsync("orders", info => info.Delayed == 1);
            queue.Advance(TimeSpan.FromMinutes(10));
            await queue.WaitUntilEmptyAsync("orders");
            await host.StopAsync();
        }
    }

    internal static async Task InsteadOfMassTransitAsync(IServiceCollection services, IPushQueueClient queues, Order order)
    {
        services.AddPushQueueClient(options => options.Server = new Uri("http://127.0.0.1:8080"));
        services.AddPushQueueHandler<Order, ShipOrder>("orders", options =>
        {
            options.Prefetch = 16;
            options.RetryDelay = TimeSpan.FromSeconds(10);
        });

        await queues.PutAsync("orders", order, new PutOptions { MaxAttempts = 6 });
    }

    internal static async Task InsteadOfHangfireAsync(IPushQueueClient queues, Order order)
    {
        await queues.PutAsync("orders", order);
        await queues.PutAsync("returns", order, new PutOptions { Delay = TimeSpan.FromDays(14) });
    }

    internal static void InsteadOfHangfireJobs(IHost app)
    {
        app.MapQueue("orders", (Order order, Warehouse warehouse, CancellationToken stop) => warehouse.ShipAsync(order, stop));
        app.MapQueue("returns", (Order order, Warehouse warehouse) => warehouse.TakeBackAsync(order));
    }

    internal static async Task InsteadOfSignalRAsync(
        IPushQueueClient queues, PushQueueClient client, Order order, string? cursor, Action<Order> Show)
    {
        await queues.PutAsync("shipped", order);
        var options = new ConsumeOptions { Transport = ConsumeTransport.SignalR, From = cursor };
        await foreach (var message in client.ConsumeAsync("shipped", options))
        {
            Show(message.Read<Order>()!);
            cursor = message.Cursor;
        }
    }

    internal static async Task<HubConnection> ListenWithSignalRAloneAsync()
    {
        var connection = new HubConnectionBuilder()
            .WithUrl("http://localhost:8080/hub", options =>
            {
                options.SkipNegotiation = true;
                options.Transports = HttpTransportType.WebSockets;
            })
            .WithAutomaticReconnect([.. Enumerable.Repeat(TimeSpan.FromSeconds(2), 10_000)])
            .Build();
        string? epoch = null, from = null; // where a new connection continues
        connection.On<JsonElement>("message", message =>
        {
            if (message.TryGetProperty("offset", out var offset))
            {
                from = epoch is null ? $"{offset.GetInt64() + 1}" : $"{epoch}.{offset}";
            }

            Console.WriteLine(message);
        });
        connection.Reconnected += _ => SubscribeAsync();
        await connection.StartAsync();
        await SubscribeAsync();

        async Task SubscribeAsync()
        {
            object options = from is null ? new { } : new { from };
            var answer = await connection.InvokeAsync<JsonElement>("Subscribe", "shipped", options);
            if (answer.TryGetProperty("cursor", out var cursor))
            {
                from = cursor.GetString();
                epoch = from!.Split('.')[0];
            }
        }

        return connection;
    }

    public sealed class Shop(IPushQueueClient queues)
    {
        public Task OrderAsync(Order order) => queues.PutAsync("orders", order, new PutOptions { Key = order.Customer });

        public async Task<Order?> NextAsync() => (await queues.TakeAsync("orders"))?.Read<Order>();
    }

    public sealed class ShipOrder(Warehouse warehouse) : IMessageHandler<Order>
    {
        public Task HandleAsync(Order value, MessageContext context, CancellationToken cancellationToken) =>
            warehouse.ShipAsync(value, cancellationToken);
    }

    public sealed class Validation : IMessageFilter
    {
        public Task InvokeAsync(MessageContext context, MessageDelegate next) =>
            context.Value is Order { Number: > 0 } ? next(context) : throw new DeadLetterException("The order has no number.");
    }

    public sealed class Warehouse
    {
        private int _shipped;
        private int _takenBack;

        public int Shipped => Volatile.Read(ref _shipped);

        public int TakenBack => Volatile.Read(ref _takenBack);

        public Task ShipAsync(Order order, CancellationToken cancellationToken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Interlocked.Add(ref _shipped, order.Number);
            return Task.CompletedTask;
        }

        public Task TakeBackAsync(Order order)
        {
            Interlocked.Add(ref _takenBack, order.Number);
            return Task.CompletedTask;
        }

        public Task<bool> IsOpenAsync() => Task.FromResult(_shipped == 0);
    }

    public sealed record Order(int Number, string Customer);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ApplicationSamples.Order))]
internal sealed partial class ShopJson : JsonSerializerContext;
