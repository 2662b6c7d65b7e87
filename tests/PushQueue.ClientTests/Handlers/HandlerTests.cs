using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PushQueue.Client;
using PushQueue.ClientTests.Streaming;
using PushQueue.ClientTests.Support;
using Xunit;

namespace PushQueue.ClientTests.Handlers;

/// <summary>Handlers against a real server, with and without a host.</summary>
public sealed class HandlerTests : NodeTests
{
    [Fact]
    public async Task Work_that_returns_is_acked_and_work_that_throws_is_given_back_with_its_error()
    {
        var queue = await Node.NewQueueAsync("roundrobin");
        await Node.Client.PutManyAsync(queue, Enumerable.Range(1, 20), TestJson.Default.Int32).WithTimeout();
        await Node.Client.PutAsync(queue, "bad", new PutOptions { MaxAttempts = 2 }).WithTimeout();
        var done = new ConcurrentDictionary<string, byte>();
        using var stop = new CancellationTokenSource();
        var running = Node.Client.HandleAsync(
            queue,
            (message, _) =>
            message.Text == "bad" ? throw new InvalidOperationException("cannot be done") : Task.FromResult(done[message.Text] = 0),
            new HandlerOptions { Concurrency = 4, Name = "tester" }, stop.Token);

        var dead = await Node.Client.TakeAsync(queue + ".dead", wait: TimeSpan.FromSeconds(50)).WithTimeout();
        await Waiting.UntilAsync(() => done.Count == 20, "20 messages");
        await Waiting.UntilAsync(
            async () => (await Node.Client.GetWorkersAsync()).Workers.Any(worker => worker.Worker == "tester"), "the worker to be listed");
        await stop.CancelAsync();
        await running.WithTimeout();

        Assert.Equal("bad", dead?.Text);
        Assert.Equal((0L, 0L), await RestAsync(queue));
    }

    [Fact]
    public async Task Work_goes_on_at_once_up_to_its_concurrency_and_is_drained_at_the_end()
    {
        var queue = await Node.NewQueueAsync("roundrobin");
        await Node.Client.PutManyAsync(queue, Enumerable.Range(1, 3), TestJson.Default.Int32).WithTimeout();
        using var stop = new CancellationTokenSource();
        var begun = new SemaphoreSlim(0);
        var mayEnd = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var ended = 0;
        var running = Node.Client.HandleAsync(
            queue,
            async (_, _) =>
            {
                begun.Release();
                await mayEnd.Task;
                Interlocked.Increment(ref ended);
            },
            new HandlerOptions { Concurrency = 2 }, stop.Token);
        await begun.WaitAsync().WithTimeout();
        await begun.WaitAsync().WithTimeout();

        await stop.CancelAsync();
        Assert.False(running.IsCompleted);
        mayEnd.SetResult();
        await running.WithTimeout();

        Assert.Equal(2, ended);
        using var direct = Node.NewDirectClient();
        Assert.NotNull(await direct.TakeAsync(queue, wait: TimeSpan.FromSeconds(30)).WithTimeout());
        Assert.Equal((0L, 0L), await RestAsync(queue));
    }

    [Theory]
    [MemberData(nameof(ResumeTests.Transports), MemberType = typeof(ResumeTests))]
    public async Task What_a_worker_that_stops_had_not_begun_goes_back_as_if_it_had_never_been_given_out(ConsumeTransport transport)
    {
        var queue = await Node.NewQueueAsync("roundrobin");
        await Node.Client.ChangeSettingsAsync(queue, new QueueSettingsChange { MaxAttempts = 1 });
        await Node.Client.PutManyAsync(queue, Enumerable.Range(1, 5), TestJson.Default.Int32).WithTimeout();
        using var stop = new CancellationTokenSource();
        var begun = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        var mayEnd = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var running = Node.Client.HandleAsync(
            queue,
            async (message, _) =>
            {
                begun.SetResult(message.Id);
                await mayEnd.Task;
            },
            new HandlerOptions { Prefetch = 10,
            Consume = new ConsumeOptions { Transport = transport, Grace = TimeSpan.FromMinutes(10) } }, stop.Token);
        var first = await begun.Task.WithTimeout();
        await Waiting.UntilAsync(async () => await RestAsync(queue) == (0, 5), "all to be pushed");

        await stop.CancelAsync();
        mayEnd.SetResult();
        await running.WithTimeout();

        await Waiting.UntilAsync(async () => await RestAsync(queue) == (4, 0), "the rest to be back");
        var rest = await Node.Client.TakeManyAsync(queue, 10).WithTimeout();
        Assert.DoesNotContain(first, rest.Select(message => message.Id));
        Assert.All(rest, message => Assert.Equal(1, message.Attempt));
    }

    [Fact]
    public async Task A_short_lease_is_extended_while_the_work_goes_on()
    {
        var queue = await Node.NewQueueAsync("roundrobin");
        await Node.Client.PutAsync(queue, "long").WithTimeout();
        using var stop = new CancellationTokenSource();
        var attempts = new ConcurrentQueue<int>();
        var timeToRun = TimeSpan.FromSeconds(3);
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var running = Node.Client.HandleAsync(
            queue,
            async (message, ended) =>
            {
                attempts.Enqueue(message.Attempt);
                var first = (await Node.Client.FindAsync(queue, message.Id, ended))!.LeasedUntil;
                while ((await Node.Client.FindAsync(queue, message.Id, ended))?.LeasedUntil is var until && until < first + timeToRun)
                {
                    await Task.Delay(20, ended);
                }

                done.TrySetResult();
            },
            new HandlerOptions { TimeToRun = timeToRun }, stop.Token);

        await done.Task.WithTimeout();
        await stop.CancelAsync();
        await running.WithTimeout();

        Assert.Equal([1], attempts);
        Assert.Equal((0L, 0L), await RestAsync(queue));
    }

    [Fact]
    public async Task Work_on_a_cancelled_message_is_told_to_stop()
    {
        var queue = await Node.NewQueueAsync("roundrobin");
        await Node.Client.PutAsync(queue, "x", new PutOptions { Id = "x" }).WithTimeout();
        using var stop = new CancellationTokenSource();
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var told = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var running = Node.Client.HandleAsync(queue, async (_, ended) =>
        {
            begun.TrySetResult();
            await using var registration = ended.Register(() => told.TrySetResult());
            await told.Task;
        }, stopping: stop.Token);
        await begun.Task.WithTimeout();

        await Node.Client.CancelAsync(queue, "x").WithTimeout();

        await told.Task.WithTimeout();
        await stop.CancelAsync();
        await running.WithTimeout();
    }

    [Fact]
    public async Task A_host_runs_workers_and_drains_them()
    {
        var queue = await Node.NewQueueAsync("roundrobin");
        var done = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddSingleton(done)
            .AddPushQueueClient(options => options.Server = Node.Proxy.Address)
            .AddPushQueueHandler<string, HostedHandler>(queue);
        using var host = builder.Build();
        await host.StartAsync().WithTimeout();

        await Node.Client.PutAsync(queue, "hosted").WithTimeout();

        Assert.Equal("hosted", await done.Task.WithTimeout());
        await host.StopAsync().WithTimeout();
        Assert.Equal((0L, 0L), await RestAsync(queue));
    }

    [Fact]
    public async Task A_host_whose_server_is_away_at_its_start_waits_and_warns_once()
    {
        var queue = await Node.NewQueueAsync("roundrobin");
        await Node.Client.PutAsync(queue, "hosted").WithTimeout();
        await Node.StopServerAsync(kill: false);
        var done = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        var log = new RecordingLog();
        using var host = HostOf(queue, done, log);
        await host.StartAsync().WithTimeout();
        await Waiting.UntilAsync(() => log.Lines.Count(line => line.Level == LogLevel.Debug) > 5, "the worker to have tried several times");

        await Node.StartServerAsync();
        _ = await Node.Client.ChangeSettingsAsync(queue, new QueueSettingsChange { Policy = "roundrobin" }).WithTimeout();
        await Node.Client.PutAsync(queue, "hosted").WithTimeout();

        Assert.Equal("hosted", await done.Task.WithTimeout());
        await host.StopAsync().WithTimeout();
        var warning = Assert.Single(log.Lines, line => line.Level >= LogLevel.Warning);
        Assert.Null(warning.Exception);
        Assert.Contains($"The stream of {queue} waits for the server: ", warning.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_host_outlives_what_its_worker_is_refused_and_the_deletion_of_its_queue()
    {
        var queue = await Node.NewQueueAsync("broadcast");
        var done = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        var log = new RecordingLog();
        using var host = HostOf(queue, done, log);
        await host.StartAsync().WithTimeout();
        await Waiting.UntilAsync(() => log.Lines.Any(line => line.Level == LogLevel.Error), "the worker to be refused");

        await Node.Client.ChangeSettingsAsync(queue, new QueueSettingsChange { Policy = "roundrobin" }).WithTimeout();
        await ConsumerAsync(queue);
        await Node.Client.DeleteQueueAsync(queue).WithTimeout();
        await Waiting.UntilAsync(
            () => log.Lines.Any(line => line.Text.Contains("was deleted", StringComparison.Ordinal)), "the worker to report it");
        await ConsumerAsync(queue);
        await Node.Client.PutAsync(queue, "again").WithTimeout();

        Assert.Equal("again", await done.Task.WithTimeout());
        Assert.False(host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.IsCancellationRequested);
        await host.StopAsync().WithTimeout();
    }

    [Theory]
    [MemberData(nameof(ResumeTests.Transports), MemberType = typeof(ResumeTests))]
    public async Task A_worker_ends_with_an_error_when_its_queue_is_deleted(ConsumeTransport transport)
    {
        var queue = await Node.NewQueueAsync("roundrobin");
        var options = new HandlerOptions { Consume = new ConsumeOptions { Transport = transport } };
        var running = Node.Client.HandleAsync(queue, (_, _) => Task.CompletedTask, options);
        await ConsumerAsync(queue);

        await Node.Client.DeleteQueueAsync(queue).WithTimeout();

        Assert.Equal(ProblemTypes.QueueDeleted, (await Assert.ThrowsAsync<PushQueueException>(() => running.WithTimeout())).Type);
    }

    [Theory]
    [InlineData(null, null, null, 1)]
    [InlineData("5s", null, null, 5)]
    [InlineData(null, "7s", null, 7)]
    [InlineData(null, null, "9s", 9)]
    [InlineData("5s", "7s", "9s", 5)]
    public async Task A_message_that_fails_waits_unless_the_worker_the_message_or_the_queue_says_how_long(
        string? ofWorker, string? ofMessage, string? ofQueue, int expectedSeconds)
    {
        var queue = await Node.NewQueueAsync("roundrobin");
        await Node.Client.ChangeSettingsAsync(queue, new QueueSettingsChange { RetryDelay = ofQueue ?? "0" }).WithTimeout();
        await Node.Client.PutAsync(queue, "x", new PutOptions { Id = "x", RetryDelay = ofMessage }).WithTimeout();
        using var stop = new CancellationTokenSource();
        var options = new HandlerOptions { RetryDelay = ofWorker is null ? null : TimeSpan.FromSeconds(5) };
        var failed = DateTimeOffset.MaxValue;
        var running = Node.Client.HandleAsync(queue, (_, _) => Fail(), options, stop.Token);

        await Waiting.UntilAsync(async () => await Node.Client.GetQueueAsync(queue) is { Delayed: 1 }, "the message to wait");
        var wait = (await Node.Client.FindAsync(queue, "x").WithTimeout())!.Resting!.AvailableAt!.Value - failed;
        await stop.CancelAsync();
        await running.WithTimeout();

        Assert.InRange(wait.TotalSeconds, expectedSeconds - 0.1, expectedSeconds + 2);

        Task Fail()
        {
            failed = TimeProvider.System.GetUtcNow();
            throw new InvalidOperationException("no luck");
        }
    }

    private Task ConsumerAsync(string queue) =>
        Waiting.UntilAsync(async () => (await Node.Client.GetConsumersAsync(queue)).Count > 0, "a consumer");

    private IHost HostOf(string queue, TaskCompletionSource<string> done, RecordingLog log)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Logging.SetMinimumLevel(LogLevel.Debug).AddProvider(log);
        builder.Services.AddSingleton(done)
            .AddPushQueueClient(options =>
            {
                options.Server = Node.Proxy.Address;
                options.Reconnect.FirstDelay = TimeSpan.FromMilliseconds(20);
                options.Reconnect.LongestDelay = TimeSpan.FromMilliseconds(50);
            })
            .AddPushQueueHandler<string, HostedHandler>(queue);
        return builder.Build();
    }

    private async Task<(long Ready, long Leased)> RestAsync(string queue)
    {
        var info = await Node.Client.GetQueueAsync(queue).WithTimeout();
        return (info!.Ready, info.Leased);
    }

    private sealed class HostedHandler(TaskCompletionSource<string> done) : IMessageHandler<string>
    {
        public Task HandleAsync(string value, MessageContext context, CancellationToken cancellationToken)
        {
            done.TrySetResult(value);
            return Task.CompletedTask;
        }
    }
}
