using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace PushQueue.Client.Handlers;

/// <summary>
/// Runs the handlers of a host once everything has started, and drains them before anything stops: a host that has the queue in its own
/// process still stores what they put. A refusal by the server is logged once, and the handler tries again: an exception out of a hosted
/// service would stop the whole host.
/// </summary>
internal sealed class HandlerService(IServiceProvider services, HandlerRegistry registry, IHostApplicationLifetime? lifetime = null)
    : IHostedLifecycleService, IDisposable
{
    private static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(1);

    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationTokenSource _stopNow = new();
    private CancellationTokenRegistration _onStopping;
    private List<HandlerRunner> _runners = [];
    private Task _running = Task.CompletedTask;

    public Task StartingAsync(CancellationToken cancellationToken)
    {
        // Mistakes of the program are told before anything starts.
        _runners = [.. registry.Close().Select(NewRunner)];
        return Task.CompletedTask;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken)
    {
        if (_runners.Count > 0)
        {
            _onStopping = lifetime?.ApplicationStopping.UnsafeRegister(
                static service => ((HandlerService)service!)._stopping.Cancel(), this) ?? default;
            _running = Task.WhenAll(_runners.Select(runner => Task.Run(() => RunAsync(runner), CancellationToken.None)));
        }

        return Task.CompletedTask;
    }

    public Task StoppingAsync(CancellationToken cancellationToken) => DrainAsync(cancellationToken);

    public Task StopAsync(CancellationToken cancellationToken) => DrainAsync(cancellationToken);

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Begins nothing more, and waits for what has begun.</summary>
    /// <param name="stopNow">The host cannot wait any longer.</param>
    public async Task DrainAsync(CancellationToken stopNow)
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await using var registration = stopNow.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), _stopNow)
            .ConfigureAwait(false);
        await _running.ConfigureAwait(false);
    }

    public void Dispose()
    {
        _onStopping.Dispose();
        _stopping.Dispose();
        _stopNow.Dispose();
    }

    private HandlerRunner NewRunner(MappedHandler handler)
    {
        var client = services.GetService<IPushQueueClient>() ?? throw new InvalidOperationException(
            $"The handler of '{handler.Queue}' has no queue to consume: add AddPushQueueClient(…), or AddPushQueue(…) of the server.");
        var options = handler.Options;
        options.LoggerFactory ??= services.GetService<ILoggerFactory>();
        options.TimeProvider ??= services.GetService<TimeProvider>();
        return new HandlerRunner(
            client, handler.Queue, options, handler.Pipeline(services), services.GetRequiredService<IServiceScopeFactory>());
    }

    private async Task RunAsync(HandlerRunner runner)
    {
        var lastReason = "";
        for (var wait = FirstWait; !_stopping.IsCancellationRequested; wait = wait * 2 < LongestWait ? wait * 2 : LongestWait)
        {
            try
            {
                await runner.RunAsync(_stopping.Token, _stopNow.Token).ConfigureAwait(false);
            }
            catch (PushQueueException e)
            {
                // A queue that was deleted is made again at once by the next stream.
                wait = e.Type == ProblemTypes.QueueDeleted ? FirstWait : wait;
                Tell(runner, e, lastReason);
                lastReason = e.Detail;
            }
            catch (Exception e)
            {
                HandlerLog.Crashed(runner.Logger, e, runner.Queue);
            }

            if (!_stopping.IsCancellationRequested)
            {
                // Half of the wait is left to chance, so that many programs do not come back in step.
                await Task.Delay(wait * (0.5 + (Random.Shared.NextDouble() / 2)), runner.Time, _stopping.Token)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private static void Tell(HandlerRunner runner, PushQueueException e, string lastReason)
    {
        if (e.Detail == lastReason || e.Type == ProblemTypes.ShuttingDown)
        {
            HandlerLog.StillRefused(runner.Logger, runner.Queue, e.Detail);
        }
        else
        {
            HandlerLog.Refused(runner.Logger, runner.Queue, e.Detail);
        }
    }
}
