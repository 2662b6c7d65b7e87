using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using PushQueue.Client;
using PushQueue.ClientTests.Support;
using PushQueue.EntityFrameworkCore.Tests.Support;
using Xunit;

namespace PushQueue.EntityFrameworkCore.Tests.Outbox;

/// <summary>Forwarders that end in the middle of something: each message is in the queue once, in its order.</summary>
public abstract class KillContract(NodeFixture fixture) : IAsyncLifetime
{
    private const string Rows = "\"PushQueueOutbox\" ";
    private const string Leases = "\"PushQueueOutboxLeases\" ";

    public static TheoryData<string, int> Steps
    {
        get
        {
            var steps = new TheoryData<string, int>();
            foreach (var step in (string[])
                ["before put", "after put", "before " + Rows, "after " + Rows, "before " + Leases, "after " + Leases])
            {
                for (var time = 1; time <= 3; time++)
                {
                    steps.Add(step, time);
                }
            }

            return steps;
        }
    }

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

    [Theory]
    [MemberData(nameof(Steps))]
    public async Task A_forwarder_that_is_killed_at_a_step_loses_doubles_and_reorders_nothing(string step, int time)
    {
        var queue = await fixture.NewQueueAsync();
        var expected = await FillAsync(queue);
        var death = new Sleep(time);
        var first = await StartAsync(step, death);
        await death.Reached.WithTimeout();

        // Gone from the queue, so that only the window of ids knows them.
        var taken = await TakeAllAsync(queue);
        await using (await App.StartAsync(Database, Node.Client, Small))
        {
            await WaitUntilForwardedAsync();
            await first.AbandonAsync();
        }

        taken.AddRange(await TakeAllAsync(queue));
        Assert.Equal(expected, taken);
    }

    [Fact]
    public async Task A_forwarder_that_wakes_after_its_replacement_doubles_nothing()
    {
        var queue = await fixture.NewQueueAsync();
        var expected = await FillAsync(queue);
        var put = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var sleep = new Sleep(time: 1);
        var asleep = HookedClient.Of(
            Node.Client,
            sleep.ComeAsync,
            _ =>
            {
                put.TrySetResult();
                return Task.CompletedTask;
            });
        await using var sleeper = await App.StartAsync(
            Database, asleep, Small, services => Hook(services, "", sleep.WaitAsync, after: null));
        await sleep.Reached.WithTimeout();
        await using var other = await App.StartAsync(Database, Node.Client, Small);
        await WaitUntilForwardedAsync();
        var taken = await TakeAllAsync(queue);
        sleep.End();
        await put.Task.WithTimeout();
        await sleeper.SaveAsync(db => db.PutLater(queue, "last"));

        await fixture.TextsAsync(queue, 1);
        taken.AddRange(await TakeAllAsync(queue));
        Assert.Equal([.. expected, "last"], taken);
    }

    [Fact]
    public async Task Processes_that_are_killed_again_and_again_lose_double_and_reorder_nothing()
    {
        const int Kills = 6;
        string[] queues = [await fixture.NewQueueAsync(), await fixture.NewQueueAsync()];
        using var stop = new CancellationTokenSource();
        var producers = new[] { ProduceAsync(0, queues, stop.Token), ProduceAsync(1, queues, stop.Token) };
        var taken = queues.Select(static _ => new List<string>()).ToArray();
        ForwarderProcess[] forwarders =
        [
            await ForwarderProcess.StartAsync(Database, Node.Proxy.Address),
            await ForwarderProcess.StartAsync(Database, Node.Proxy.Address),
        ];
        try
        {
            for (var kill = 0; kill < Kills; kill++)
            {
                var before = taken.Sum(static texts => texts.Count);
                await Waiting.UntilAsync(
                    async () =>
                    {
                        await TakeAsync();
                        return taken.Sum(static texts => texts.Count) > before + 40;
                    },
                    "messages to come");
                await forwarders[kill % 2].KillAsync();
                await forwarders[kill % 2].DisposeAsync();
                forwarders[kill % 2] = await ForwarderProcess.StartAsync(Database, Node.Proxy.Address);
            }

            await stop.CancelAsync();
            await Task.WhenAll(producers).WithTimeout();
            await WaitUntilForwardedAsync();
        }
        finally
        {
            await stop.CancelAsync();
            await Task.WhenAll(producers).WithTimeout();
            foreach (var forwarder in forwarders)
            {
                await forwarder.DisposeAsync();
            }
        }

        await TakeAsync();
        foreach (var texts in taken)
        {
            for (var producer = 0; producer < producers.Length; producer++)
            {
                var count = await producers[producer];
                Assert.Equal(
                    Enumerable.Range(0, count).Select(i => $"{producer}:{i}"),
                    texts.Where(text => text.StartsWith($"{producer}:", StringComparison.Ordinal)));
            }
        }

        async Task TakeAsync()
        {
            for (var i = 0; i < queues.Length; i++)
            {
                taken[i].AddRange(await TakeAllAsync(queues[i]));
            }
        }
    }

    /// <summary>A new, empty database.</summary>
    private protected abstract Task<ITestDatabase> NewDatabaseAsync();

    private static void Small(OutboxOptions options)
    {
        options.PollInterval = TimeSpan.FromMilliseconds(20);
        options.LeaseDuration = TimeSpan.FromSeconds(1);
        options.BatchMessages = 5;
    }

    /// <summary>Rows for several batches, of which one has a message that the server refuses. Returns the texts of the others.</summary>
    private async Task<List<string>> FillAsync(string queue)
    {
        await using var db = Database.Open();
        for (var i = 0; i < 20; i++)
        {
            db.PutLater(queue, $"{i}", i == 7 ? new PutOptions { RetryDelay = "soon" } : null);
        }

        await db.SaveChangesAsync();
        return [.. Enumerable.Range(0, 20).Where(static i => i != 7).Select(static i => $"{i}")];
    }

    /// <summary>An application that stops for ever at a step.</summary>
    private Task<App> StartAsync(string step, Sleep death)
    {
        var isBefore = step.StartsWith("before", StringComparison.Ordinal);
        var place = step[(step.IndexOf(' ', StringComparison.Ordinal) + 1)..];
        Func<CancellationToken, Task>? before = isBefore ? death.ComeAsync : null;
        Func<CancellationToken, Task>? after = isBefore ? null : death.ComeAsync;
        return place == "put"
            ? App.StartAsync(
                Database, HookedClient.Of(Node.Client, before, after), Small, services => Hook(services, "", death.WaitAsync, after: null))
            : App.StartAsync(
                Database, Node.Client, Small,
                services => Hook(Hook(services, "", death.WaitAsync, after: null), place, before, after));
    }

    private static IServiceCollection Hook(
        IServiceCollection services, string text, Func<CancellationToken, Task>? before, Func<CancellationToken, Task>? after) =>
        services.ConfigureDbContext<TestDb>(builder => builder.AddInterceptors(new StatementHook(text, before, after)));

    private async Task<List<string>> TakeAllAsync(string queue)
    {
        var texts = new List<string>();
        while (await Node.Client.TakeManyAsync(queue, 1000).WithTimeout() is { Count: > 0 } messages)
        {
            texts.AddRange(messages.Select(static message => message.Text));
        }

        return texts;
    }

    private Task WaitUntilForwardedAsync() => Waiting.UntilAsync(
        async () =>
        {
            await using var db = Database.Open();
            return !await db.Set<OutboxMessage>().AnyAsync(static row => !row.IsSetAside)
                && !await db.Set<OutboxLease>().AnyAsync(static lease => lease.Owner != null);
        },
        "all rows to be forwarded");

    /// <summary>Puts messages until it is to stop, a few in each transaction. Returns how many for each queue.</summary>
    private async Task<int> ProduceAsync(int producer, string[] queues, CancellationToken stop)
    {
        var count = 0;
        for (var transaction = 0; !stop.IsCancellationRequested; transaction++)
        {
            await using var db = Database.Open();
            for (var i = 0; i <= transaction % 9; i++)
            {
                foreach (var queue in queues)
                {
                    db.PutLater(queue, $"{producer}:{count}");
                }

                count++;
            }

            await db.SaveChangesAsync(CancellationToken.None);

            // Faster than the forwarders, it would fill the database until the end of the test.
            await Waiting.UntilAsync(
                async () => stop.IsCancellationRequested || await db.Set<OutboxMessage>().CountAsync(CancellationToken.None) < 100,
                "the forwarders to keep up");
        }

        return count;
    }

    /// <summary>Begins at a given visit. From then on nothing of the application goes on, its signs of life included.</summary>
    private sealed class Sleep(int time)
    {
        private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _visits;

        public Task Reached => _reached.Task;

        public Task ComeAsync(CancellationToken cancellationToken)
        {
            if (Interlocked.Increment(ref _visits) == time)
            {
                _reached.SetResult();
            }

            return WaitAsync(cancellationToken);
        }

        public Task WaitAsync(CancellationToken cancellationToken) =>
            Reached.IsCompleted ? _ended.Task.WaitAsync(cancellationToken) : Task.CompletedTask;

        public void End() => _ended.SetResult();
    }
}
