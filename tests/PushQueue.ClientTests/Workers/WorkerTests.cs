using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using PushQueue.Client;
using PushQueue.ClientTests.Streaming;
using PushQueue.ClientTests.Support;
using Xunit;

namespace PushQueue.ClientTests.Workers;

/// <summary>Workers against a real server.</summary>
public sealed class WorkerTests : NodeTests
{
    [Fact]
    public async Task Work_that_returns_is_acked_and_work_that_throws_is_given_back_with_its_error()
    {
        var queue = await Node.NewQueueAsync("roundrobin");
        await Node.Client.PutManyAsync(queue, Enumerable.Range(1, 20), TestJson.Default.Int32).WithTimeout();
        await Node.Client.PutAsync(queue, "bad", new PutOptions { MaxAttempts = 2 }).WithTimeout();
        var done = new ConcurrentDictionary<string, byte>();
        using var stop = new CancellationTokenSource();
        var running = Worker.Create(
            Node.Client,
            queue,
            (message, _) => message.Text == "bad" ? throw new InvalidOperationException("cannot be done") : Task.FromResult(done[message.Text] = 0),
            new WorkerOptions { Concurrency = 4, Name = "tester" }).RunAsync(stop.Token);

        var dead = await Node.Client.TakeAsync(queue + ".dead", wait: TimeSpan.FromSeconds(50)).WithTimeout();
        await Waiting.UntilAsync(() => done.Count == 20, "20 messages");
        Assert.Contains((await Node.Client.GetWorkersAsync().WithTimeout()).Workers, worker => worker.Worker == "tester");
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
        var running = Worker.Create(
            Node.Client,
            queue,
            async (_, _) =>
            {
                begun.Release();
                await mayEnd.Task;
                Interlocked.Increment(ref ended);
            },
            new WorkerOptions { Concurrency = 2 }).RunAsync(stop.Token);
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
        var running = Worker.Create(
            Node.Client,
            queue,
            async (message, _) =>
            {
                begun.SetResult(message.Id);
                await mayEnd.Task;
            },
            new WorkerOptions { Prefetch = 10, Consume = new ConsumeOptions { Transport = transport, Grace = TimeSpan.FromMinutes(10) } }).RunAsync(stop.Token);
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
        var running = Worker.Create(
            Node.Client,
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
            new WorkerOptions { TimeToRun = timeToRun }).RunAsync(stop.Token);

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
        var running = Worker.Create(Node.Client, queue, async (_, ended) =>
        {
            begun.TrySetResult();
            await using var registration = ended.Register(() => told.TrySetResult());
            await told.Task;
        }).RunAsync(stop.Token);
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
        builder.Services.AddSingleton(done).AddSingleton(new QueueName(queue))
            .AddPushQueueClient(options => options.Server = Node.Proxy.Address)
            .AddPushQueueWorker<HostedWorker>();
        using var host = builder.Build();
        await host.StartAsync().WithTimeout();

        await Node.Client.PutAsync(queue, "hosted").WithTimeout();

        Assert.Equal("hosted", await done.Task.WithTimeout());
        await host.StopAsync().WithTimeout();
        Assert.Equal((0L, 0L), await RestAsync(queue));
    }

    private async Task<(long Ready, long Leased)> RestAsync(string queue)
    {
        var info = await Node.Client.GetQueueAsync(queue).WithTimeout();
        return (info!.Ready, info.Leased);
    }

    private sealed record QueueName(string Value);

    private sealed class HostedWorker(PushQueueClient client, QueueName queue, TaskCompletionSource<string> done) : Worker(client, queue.Value)
    {
        protected override Task HandleAsync(Message message, CancellationToken cancellationToken)
        {
            done.TrySetResult(message.Text);
            return Task.CompletedTask;
        }
    }
}
