using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using PushQueue.Client;
using PushQueue.ClientTests.Support;
using PushQueue.EntityFrameworkCore.Tests.Support;
using Xunit;

namespace PushQueue.EntityFrameworkCore.Tests.Outbox;

/// <summary>The rules of an outbox, with every database, over HTTP to a real server.</summary>
public abstract class OutboxContract(NodeFixture fixture) : IAsyncLifetime
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
    public async Task A_committed_message_is_put_with_all_that_it_was_given()
    {
        var queue = $"new-{Random.Shared.NextInt64():x}";
        await using var app = await App.StartAsync(Database, Node.Client);
        var id = "";
        var options = new PutOptions
        {
            Key = "customer-7",
            Headers = new Dictionary<string, string>(StringComparer.Ordinal) { ["Tenant"] = "sieben é" },
            Priority = 5,
            MaxAttempts = 3,
            RetryDelay = "5s",
            UniqueKey = "only",
            Policy = "roundrobin",
        };

        await app.SaveAsync(db =>
        {
            db.Sales.Add(new Sale { Id = 7, Item = "tea" });
            id = db.PutLater(queue, new Order(7, "tea"), options);
            db.PutLater(queue, "text", new PutOptions { Id = "order/8" });
            db.PutLater(queue, PutMessage.Bytes(new byte[] { 0, 255 }));
            db.PutLater(queue, new Order(9, "later"), new PutOptions { Delay = TimeSpan.FromHours(1) });
        });

        Assert.Equal(3, (await fixture.TextsAsync(queue, 3)).Count);
        var message = await Node.Client.LeaseAsync(queue, TimeSpan.FromSeconds(30)).WithTimeout();
        Assert.Equal((id, """{"number":7,"item":"tea"}""", "application/json", 5, "customer-7"),
            (message!.Id, message.Text, message.ContentType, message.Priority, message.Key));
        Assert.Equal("sieben é", message.Headers["tenant"]);
        Assert.True(Guid.TryParseExact(id, "D", out _));
        var text = await Node.Client.FindAsync(queue, "order/8").WithTimeout();
        Assert.Equal(("text", "text/plain"), (text!.Text, text.ContentType));
        var info = await Node.Client.GetQueueAsync(queue).WithTimeout();
        Assert.Equal(("roundrobin", 1L), (info!.Policy, info.Delayed));
        var bytes = (await Node.Client.BrowseAsync(queue).ToListAsync()).Single(static message => message.Body.Length == 2);
        Assert.Equal([0, 255], bytes.Body.ToArray());
        await AssertEmptyAsync(app);
        await app.UseAsync(static async db => Assert.Equal("tea", (await db.Sales.SingleAsync()).Item));
    }

    [Fact]
    public async Task A_transaction_that_is_not_committed_puts_nothing()
    {
        var queue = await fixture.NewQueueAsync();
        await using var app = await App.StartAsync(Database, Node.Client);

        await app.UseAsync(db => InTransactionAsync(db, async transaction =>
        {
            db.PutLater(queue, "rolled back");
            await db.SaveChangesAsync();
            await transaction.RollbackAsync();
        }));
        await app.UseAsync(db => InTransactionAsync(db, async _ =>
        {
            db.PutLater(queue, "not committed");
            await db.SaveChangesAsync();
        }));
        await app.SaveAsync(db =>
        {
            db.PutLater(queue, "cleared");
            db.ChangeTracker.Clear();
        });
        await app.UseAsync(db => Task.FromResult(db.PutLater(queue, "not saved")));
        await app.UseAsync(db => InTransactionAsync(db, async transaction =>
        {
            db.PutLater(queue, "1");
            await db.SaveChangesAsync();
            db.PutLater(queue, "2");
            await db.SaveChangesAsync();
            await transaction.CommitAsync();
        }));

        Assert.Equal(["1", "2"], await fixture.TextsAsync(queue, 2));
        await AssertEmptyAsync(app);
    }

    [Fact]
    public async Task Messages_are_put_in_their_order()
    {
        var (one, other) = (await fixture.NewQueueAsync(), await fixture.NewQueueAsync());
        await using (var db = Database.Open())
        {
            // Without the services of an application: its clock alone gives the order.
            db.PutLater(one, "first");
            await db.SaveChangesAsync();
        }

        await using var app = await App.StartAsync(Database, Node.Client, static options =>
        {
            options.BatchMessages = 7;
            options.BatchBytes = 1024;
            options.LeaseDuration = TimeSpan.FromSeconds(1);
        });

        await app.SaveAsync(db =>
        {
            for (var i = 0; i < 100; i++)
            {
                db.PutLater(one, $"{i}");
                db.PutLater(other, $"{i}{new string('.', i * 30)}");
            }
        });
        await app.SaveAsync(db => db.PutLater(one, "last"));

        Assert.Equal(["first", .. Enumerable.Range(0, 100).Select(static i => $"{i}"), "last"], await fixture.TextsAsync(one, 102));
        Assert.Equal(
            [.. Enumerable.Range(0, 100).Select(static i => $"{i}")],
            (await fixture.TextsAsync(other, 100)).Select(static text => text.TrimEnd('.')));
    }

    [Fact]
    public async Task A_transaction_after_another_comes_after_it_though_the_clock_of_its_application_is_behind()
    {
        var queue = await fixture.NewQueueAsync();
        var open = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var client = HookedClient.Of(Node.Client, before: open.Task.WaitAsync);
        await using var ahead = await App.StartAsync(
            Database, client, services: static services => services.AddSingleton<TimeProvider>(new ShiftedClock(TimeSpan.FromHours(1))));
        await using var behind = await App.StartAsync(Database, client);

        for (var i = 0; i < 6; i++)
        {
            await (i % 2 == 0 ? ahead : behind).SaveAsync(db => db.PutLater(queue, $"{i}"));
        }

        open.SetResult();
        Assert.Equal(["0", "1", "2", "3", "4", "5"], await fixture.TextsAsync(queue, 6));
    }

    [Fact]
    public async Task A_commit_wakes_the_forwarder_of_its_process_at_once()
    {
        var queue = await fixture.NewQueueAsync();
        await using var app = await App.StartAsync(Database, Node.Client, static options => options.PollInterval = TimeSpan.FromHours(1));

        await app.SaveAsync(db => db.PutLater(queue, "1"));
        await fixture.TextsAsync(queue, 1);
        await app.UseAsync(db => InTransactionAsync(db, async transaction =>
        {
            db.PutLater(queue, "2");
            await db.SaveChangesAsync();
            await transaction.CommitAsync();
        }));
        await fixture.TextsAsync(queue, 2);
        await app.UseAsync(db =>
        {
            db.PutLater(queue, "3");
            db.SaveChanges();
            return Task.CompletedTask;
        });

        Assert.Equal(["1", "2", "3"], await fixture.TextsAsync(queue, 3));
    }

    [Fact]
    public async Task Rows_that_another_program_commits_are_found_at_the_next_poll()
    {
        var queue = await fixture.NewQueueAsync();
        await using var app = await App.StartAsync(Database, Node.Client);

        await using (var db = Database.Open())
        {
            db.PutLater(queue, "from elsewhere");
            await db.SaveChangesAsync();
        }

        Assert.Equal(["from elsewhere"], await fixture.TextsAsync(queue, 1));
    }

    [Fact]
    public async Task Messages_that_the_server_refuses_are_set_aside_and_the_others_are_put()
    {
        var queue = await fixture.NewQueueAsync();
        await using var app = await App.StartAsync(Database, Node.Client);

        await app.SaveAsync(db =>
        {
            for (var i = 0; i < 10; i++)
            {
                db.PutLater(queue, i is 3 or 4 ? new string('x', (1024 * 1024) + i) : $"{i}", new PutOptions { Key = "k" });
            }

            // Only the server knows whether it reads this.
            db.PutLater(queue, "10", new PutOptions { RetryDelay = "soon" });
            db.PutLater(queue, "11");
        });

        Assert.Equal(["0", "1", "2", "5", "6", "7", "8", "9", "11"], await fixture.TextsAsync(queue, 9));
        await Waiting.UntilAsync(
            async () => await StateAsync(app) is { Waiting: 0, SetAside: 3 }, "three messages are set aside and none waits");
        await app.UseAsync(static async db =>
        {
            var refused = await db.Set<OutboxMessage>().OrderBy(static row => row.Number).ToListAsync();
            Assert.Contains("1048576", refused[0].Reason, StringComparison.Ordinal);
            Assert.Contains("retryDelay", refused[2].Reason, StringComparison.Ordinal);
        });
        Assert.Equal(3, app.Log.Lines.Count(static line => line.Level == LogLevel.Error));

        await app.UseAsync(async db => Assert.Equal(3, await db.PutSetAsideAgainAsync(queue)));
        await Waiting.UntilAsync(
            () => app.Log.Lines.Count(static line => line.Level == LogLevel.Error) == 6, "they are refused once more");
    }

    [Fact]
    public async Task A_message_whose_unique_key_waits_is_set_aside()
    {
        var queue = await fixture.NewQueueAsync();
        await using var app = await App.StartAsync(Database, Node.Client);

        await app.SaveAsync(db =>
        {
            db.PutLater(queue, "1", new PutOptions { UniqueKey = "u" });
            db.PutLater(queue, "2", new PutOptions { UniqueKey = "u" });
            db.PutLater(queue, "3");
        });

        Assert.Equal(["1", "3"], await fixture.TextsAsync(queue, 2));
        await Waiting.UntilAsync(async () => await StateAsync(app) is { Waiting: 0, SetAside: 1 }, "one message is set aside");
    }

    [Fact]
    public async Task A_full_queue_waits_and_delays_no_other()
    {
        var (full, other) = (await fixture.NewQueueAsync(), await fixture.NewQueueAsync());
        await Node.Client.ChangeSettingsAsync(full, new QueueSettingsChange { MaxMessages = 1 }).WithTimeout();
        await Node.Client.PutAsync(full, "0").WithTimeout();
        await using var app = await App.StartAsync(Database, Node.Client);

        await app.SaveAsync(db =>
        {
            db.PutLater(full, "1");
            db.PutLater(other, "2");
        });
        await fixture.TextsAsync(other, 1);
        await Waiting.UntilAsync(() => app.Log.Lines.Any(static line => line.Level == LogLevel.Warning), "the full queue is reported");
        var first = await Node.Client.TakeAsync(full).WithTimeout();

        Assert.Equal("0", first!.Text);
        Assert.Equal(["1"], await fixture.TextsAsync(full, 1));
        Assert.Single(app.Log.Lines, static line => line.Level >= LogLevel.Warning);
    }

    [Fact]
    public async Task An_id_that_the_queue_knows_is_put_once()
    {
        var queue = await fixture.NewQueueAsync();
        await using var app = await App.StartAsync(Database, Node.Client);

        await app.SaveAsync(db => db.PutLater(queue, "1", new PutOptions { Id = "order-7" }));
        Assert.Equal("1", (await Node.Client.TakeAsync(queue, TimeSpan.FromSeconds(50)).WithTimeout())!.Text);
        await app.SaveAsync(db =>
        {
            db.PutLater(queue, "2", new PutOptions { Id = "order-7" });
            db.PutLater(queue, "3");
        });

        Assert.Equal(["3"], await fixture.TextsAsync(queue, 1));
        await AssertEmptyAsync(app);
    }

    /// <summary>A new, empty database.</summary>
    private protected abstract Task<ITestDatabase> NewDatabaseAsync();

    private static Task<OutboxState> StateAsync(App app) =>
        app.Services.GetRequiredService<OutboxMonitor<TestDb>>().GetStateAsync();

    private static Task AssertEmptyAsync(App app) => Waiting.UntilAsync(
        async () => await StateAsync(app) is { Waiting: 0, SetAside: 0 }, "the outbox to be empty");

    /// <summary>A transaction of the application, within the strategy that its database may have.</summary>
    private static Task InTransactionAsync(
        TestDb db, Func<Microsoft.EntityFrameworkCore.Storage.IDbContextTransaction, Task> work) =>
        db.Database.CreateExecutionStrategy().ExecuteAsync(async () =>
        {
            await using var transaction = await db.Database.BeginTransactionAsync();
            await work(transaction);
        });

    private sealed class ShiftedClock(TimeSpan shift) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + shift;
    }
}
