using System.Collections.Concurrent;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using PushQueue.Client;
using PushQueue.ClientTests.Support;
using PushQueue.EntityFrameworkCore.Tests.Support;
using Xunit;

namespace PushQueue.EntityFrameworkCore.Tests.Inbox;

/// <summary>The rules of an inbox, with every database, over HTTP to a real server.</summary>
public abstract class InboxContract(NodeFixture fixture) : IAsyncLifetime
{
    internal ITestDatabase Database { get; private set; } = null!;

    private TestNode Node => fixture.Node;

    public async ValueTask InitializeAsync() => Database = await NewDatabaseAsync();

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (Database is { } database)
        {
            await database.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_message_that_comes_again_is_acknowledged_without_the_handler()
    {
        var queue = await fixture.NewQueueAsync();
        await using var app = await StartAsync(queue);
        await Node.Client.PutAsync(queue, new Order(7, "tea"), new PutOptions { Id = "order-7" }).WithTimeout();
        await WaitUntilEmptyAsync(queue);

        // The queue has forgotten the id by now.
        var again = await Node.Client.PutAsync(queue, new Order(7, "tea"), new PutOptions { Id = "order-7" }).WithTimeout();
        await WaitUntilEmptyAsync(queue);
        await Node.Client.PutAsync(queue, new Order(8, "milk"), new PutOptions { Id = "order-8" }).WithTimeout();
        await WaitUntilEmptyAsync(queue);

        Assert.False(again.Duplicate);
        Assert.Equal([7, 8], app.Services.GetRequiredService<Work>().Begun);
        Assert.Equal([7, 8], await SalesAsync());
    }

    [Fact]
    public async Task Work_whose_ack_is_lost_after_the_commit_is_not_done_again()
    {
        var queue = await fixture.NewQueueAsync();
        var attempts = 0;
        await using var app = await StartAsync(queue, options => options.AddFilter(async (context, next) =>
        {
            await next(context);
            if (Interlocked.Increment(ref attempts) == 1)
            {
                throw new InvalidOperationException("ended between commit and ack");
            }
        }).RetryDelay = TimeSpan.Zero);

        await Node.Client.PutAsync(queue, new Order(7, "tea"), new PutOptions { Id = "order-7" }).WithTimeout();
        await WaitUntilEmptyAsync(queue);

        Assert.Equal(2, attempts);
        Assert.Equal([7], app.Services.GetRequiredService<Work>().Begun);
        Assert.Equal([7], await SalesAsync());
    }

    [Fact]
    public async Task Work_that_fails_leaves_nothing_and_is_done_at_the_next_attempt()
    {
        var queue = await fixture.NewQueueAsync();
        var confirmations = await fixture.NewQueueAsync();
        await using var app = await StartAsync(queue, static options => options.RetryDelay = TimeSpan.Zero, confirmations, failures: 2);

        await Node.Client.PutAsync(queue, new Order(7, "tea"), new PutOptions { Id = "order-7" }).WithTimeout();

        Assert.Equal(["attempt 3"], await fixture.TextsAsync(confirmations, 1));
        await WaitUntilEmptyAsync(queue);
        Assert.Equal([7, 7, 7], app.Services.GetRequiredService<Work>().Begun);
        Assert.Equal([7], await SalesAsync());
    }

    [Fact]
    public async Task A_second_attempt_waits_for_a_first_one_that_still_works()
    {
        var queue = await fixture.NewQueueAsync();
        var mayEnd = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var attempts = 0;
        await using var app = await StartAsync(
            queue,
            options =>
            {
                options.Concurrency = 2;
                options.RetryDelay = TimeSpan.Zero;
                options.Timeout = TimeSpan.FromSeconds(1);
                options.AddFilter((context, next) =>
                {
                    if (Interlocked.Increment(ref attempts) == 2)
                    {
                        mayEnd.SetResult();
                    }

                    return next(context);
                });
            },
            gate: mayEnd.Task);

        await Node.Client.PutAsync(queue, new Order(7, "tea"), new PutOptions { Id = "order-7" }).WithTimeout();
        await WaitUntilEmptyAsync(queue);

        Assert.Equal([7], app.Services.GetRequiredService<Work>().Begun);
        Assert.Equal([7], await SalesAsync());
        Assert.True(attempts >= 2, "there were two attempts");
    }

    [Fact]
    public async Task Rows_are_deleted_after_their_retention()
    {
        var queue = await fixture.NewQueueAsync();
        var clock = new SwitchableClock();
        await using var app = await StartAsync(queue, services: services => services.AddSingleton<TimeProvider>(clock));
        await Node.Client.PutAsync(queue, new Order(7, "tea"), new PutOptions { Id = "order-7" }).WithTimeout();
        await WaitUntilEmptyAsync(queue);

        Assert.Equal(1, await RowsAsync());
        clock.Shift = TimeSpan.FromMinutes(2);

        await Waiting.UntilAsync(async () => await RowsAsync() == 0, "the row to be deleted");
    }

    [Fact]
    public async Task A_handler_without_the_services_of_the_inbox_says_so()
    {
        var queue = await fixture.NewQueueAsync();
        await using var app = await App.StartAsync(Database, Node.Client, services: services => services
            .AddSingleton(new Work(Database, 0, Task.CompletedTask, null))
            .AddPushQueueHandler<Order, SellOrder>(queue, static options => options.WithInbox<TestDb>()));

        await Node.Client.PutAsync(queue, new Order(7, "tea"), new PutOptions { MaxAttempts = 1 }).WithTimeout();

        var dead = await Node.Client.LeaseAsync(queue + ".dead", TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(30)).WithTimeout();
        var resting = await Node.Client.FindAsync(queue + ".dead", dead!.Id).WithTimeout();
        Assert.Contains("AddPushQueueInbox<TestDb>()", resting!.Resting!.LastError, StringComparison.Ordinal);
    }

    /// <summary>A new, empty database.</summary>
    private protected abstract Task<ITestDatabase> NewDatabaseAsync();

    private Task<App> StartAsync(
        string queue, Action<HandlerOptions>? options = null, string? confirmations = null, int failures = 0, Task? gate = null,
        Action<IServiceCollection>? services = null) =>
        App.StartAsync(Database, Node.Client, services: all =>
        {
            all.AddSingleton(new Work(Database, failures, gate ?? Task.CompletedTask, confirmations));
            all.AddPushQueueInbox<TestDb>(static inbox => inbox.Retention = TimeSpan.FromMinutes(1));
            all.AddPushQueueHandler<Order, SellOrder>(queue, handler =>
            {
                options?.Invoke(handler);
                handler.WithInbox<TestDb>();
            });
            services?.Invoke(all);
        });

    private Task WaitUntilEmptyAsync(string queue) => Waiting.UntilAsync(
        async () => await Node.Client.GetQueueAsync(queue) is { Ready: 0, Leased: 0, Delayed: 0 }, "the queue to be empty");

    private async Task<List<int>> SalesAsync()
    {
        await using var db = Database.Open();
        return await db.Sales.OrderBy(static sale => sale.Id).Select(static sale => sale.Id).ToListAsync();
    }

    private async Task<int> RowsAsync()
    {
        await using var db = Database.Open();
        return await db.Set<InboxMessage>().CountAsync();
    }

    /// <summary>The work of a test.</summary>
    internal sealed record Work(ITestDatabase Database, int Failures, Task Gate, string? Confirmations)
    {
        public ConcurrentQueue<int> Begun { get; } = [];
    }

    /// <summary>A sale for each order. A second one of the same order would break the table's key.</summary>
    internal sealed class SellOrder(TestDb db, Work work) : IMessageHandler<Order>
    {
        public async Task HandleAsync(Order value, MessageContext context, CancellationToken cancellationToken)
        {
            work.Begun.Enqueue(value.Number);
            await work.Gate.WithTimeout();
            db.Sales.Add(new Sale { Id = value.Number, Item = value.Item });
            if (work.Confirmations is { } confirmations)
            {
                db.PutLater(confirmations, $"attempt {work.Begun.Count}");
                await db.SaveChangesAsync(CancellationToken.None);
            }

            if (work.Begun.Count <= work.Failures)
            {
                throw new InvalidOperationException("not yet");
            }
        }
    }

    /// <summary>The system's clock, from some time on ahead of it. Its timers fire a hundred times as soon.</summary>
    private sealed class SwitchableClock : TimeProvider
    {
        public TimeSpan Shift { get; set; }

        public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + Shift;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            System.CreateTimer(callback, state, Sooner(dueTime), Sooner(period));

        private static TimeSpan Sooner(TimeSpan time) => time == Timeout.InfiniteTimeSpan ? time : time / 100;
    }
}
