using System.Diagnostics.Metrics;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using PushQueue.Client;

namespace PushQueue.EntityFrameworkCore;

/// <summary>
/// Forwards the outbox of a context while the host runs: at once after a commit in this process, and now and then for commits elsewhere. A
/// server or a database that is away is waited for. It begins when all services have started, because the queue may be one of them.
/// </summary>
internal sealed class OutboxForwarder<TContext> : IHostedLifecycleService, IDisposable
    where TContext : DbContext
{
    private static readonly TimeSpan MeasureInterval = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan TidyInterval = TimeSpan.FromHours(1);

    private readonly IServiceProvider _services;
    private readonly OutboxSignal<TContext> _signal;
    private readonly OutboxMonitor<TContext> _monitor;
    private readonly OutboxOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly LeaseBook _leases;
    private readonly OutboxMeter _meter;
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationTokenSource _stopNow = new();
    private Task _running = Task.CompletedTask;
    private int _failures;
    private long? _measuredAt;
    private long? _tidiedAt;

    public OutboxForwarder(IServiceProvider services, OutboxSignal<TContext> signal, OutboxMonitor<TContext> monitor, OutboxOptions options)
    {
        _services = services;
        _signal = signal;
        _monitor = monitor;
        _options = options;
        _time = services.GetService<TimeProvider>() ?? TimeProvider.System;
        _logger = services.GetService<ILoggerFactory>()?.CreateLogger("PushQueue.Outbox") ?? NullLogger.Instance;
        _leases = new LeaseBook(options, _time);
        _meter = new OutboxMeter(typeof(TContext).Name, services.GetService<IMeterFactory>());
    }

    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        // Mistakes of the program end the start.
        _ = Client();
        var scope = _services.CreateAsyncScope();
        await using (scope.ConfigureAwait(false))
        {
            OutboxModel.EnsureIn(scope.ServiceProvider.GetRequiredService<TContext>());
        }
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken)
    {
        _running = Task.Run(RunAsync, CancellationToken.None);
        return Task.CompletedTask;
    }

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Ends the batch that has begun, and gives the queues back.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await using var registration = cancellationToken
            .UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), _stopNow).ConfigureAwait(false);
        await _running.ConfigureAwait(false);
    }

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose()
    {
        _stopping.Dispose();
        _stopNow.Dispose();
        _meter.Dispose();
    }

    private IPushQueueClient Client() => _services.GetService<IPushQueueClient>() ?? throw new InvalidOperationException(
        $"The outbox of {typeof(TContext).Name} has no queue to forward to: add AddPushQueueClient(…), or AddPushQueue(…) of the server.");

    private async Task RunAsync()
    {
        var client = Client();
        var windows = new DedupWindows(client, _options, _time, _logger);
        var queues = new QueueForwarder(
            _leases, new PagePutter(client, _leases, _options, _time, _logger), windows, _meter, _options, _time, _logger);
        while (!_stopping.IsCancellationRequested)
        {
            var next = _signal.Next;
            var wait = await RoundSafelyAsync(queues).ConfigureAwait(false);

            // A server that is away is not asked again at every commit.
            await (_failures == 0 ? next.WaitAsync(wait, _time, _stopping.Token) : Task.Delay(wait, _time, _stopping.Token))
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Forwards what there is. Returns the wait before the next round.</summary>
    private async Task<TimeSpan> RoundSafelyAsync(QueueForwarder queues)
    {
        try
        {
            var scope = _services.CreateAsyncScope();
            await using (scope.ConfigureAwait(false))
            {
                if (await RoundAsync(queues, scope.ServiceProvider.GetRequiredService<TContext>()).ConfigureAwait(false))
                {
                    Succeeded();
                }
                else
                {
                    Away(queues.Failure!);
                }
            }

            await MeasureAsync().ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_stopNow.IsCancellationRequested)
        {
            // The host cannot wait any longer.
        }
        catch (Exception e)
        {
            Failed(e);
        }

        return _failures == 0 ? _options.PollInterval : Backoff.After(_failures);
    }

    /// <summary>Gives each queue a turn until none has more, so that a long backlog of one does not delay the others. False where the
    /// server is away.</summary>
    private async Task<bool> RoundAsync(QueueForwarder queues, TContext db)
    {
        var active = await queues.QueuesAsync(db, _stopNow.Token).ConfigureAwait(false);
        while (active.Count > 0)
        {
            var more = new List<string>();
            foreach (var queue in active)
            {
                var turn = await queues.TurnAsync(db, queue, _stopNow.Token).ConfigureAwait(false);
                if (turn == QueueTurn.Away)
                {
                    await ReleaseAsync(db, active).ConfigureAwait(false);
                    return false;
                }

                if (turn == QueueTurn.More)
                {
                    more.Add(queue);
                }

                if (_stopping.IsCancellationRequested)
                {
                    await ReleaseAsync(db, active).ConfigureAwait(false);
                    return true;
                }
            }

            active = more;
        }

        await TidyAsync(db).ConfigureAwait(false);
        return true;
    }

    private async Task ReleaseAsync(TContext db, List<string> queues)
    {
        foreach (var queue in queues)
        {
            await _leases.ReleaseAsync(db, queue, _stopNow.Token).ConfigureAwait(false);
        }
    }

    private async Task TidyAsync(TContext db)
    {
        if (_tidiedAt is not { } at || _time.GetElapsedTime(at) >= TidyInterval)
        {
            _tidiedAt = _time.GetTimestamp();
            await _leases.DeleteUnusedAsync(db, _stopNow.Token).ConfigureAwait(false);
        }
    }

    private async Task MeasureAsync()
    {
        if (_meter.IsObserved && (_measuredAt is not { } at || _time.GetElapsedTime(at) >= MeasureInterval))
        {
            _measuredAt = _time.GetTimestamp();
            _meter.Show(await _monitor.GetStateAsync(_stopNow.Token).ConfigureAwait(false));
        }
    }

    private void Succeeded()
    {
        if (_failures > 0)
        {
            OutboxLog.Back(_logger, typeof(TContext).Name);
        }

        _failures = 0;
    }

    private void Away(PushQueueException failure)
    {
        if (_failures++ == 0)
        {
            OutboxLog.Away(_logger, typeof(TContext).Name, failure.Detail);
        }
        else
        {
            OutboxLog.StillAway(_logger, typeof(TContext).Name, failure.Detail);
        }
    }

    private void Failed(Exception failure)
    {
        if (_failures++ == 0)
        {
            OutboxLog.Failed(_logger, failure, typeof(TContext).Name);
        }
        else
        {
            OutboxLog.StillFails(_logger, failure, typeof(TContext).Name);
        }
    }
}
