using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PushQueue.Security;

namespace PushQueue.Hosting;

/// <summary>Reads the access file before the server listens, and looks once a second whether it has changed and who lost by it.</summary>
internal sealed partial class AccessService(AccessControl access, WaitingRights waiting, TimeProvider time, ILogger<AccessService> logger)
    : BackgroundService, IHostedLifecycleService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    public Task StartingAsync(CancellationToken cancellationToken) => access.LoadAsync(cancellationToken);

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Asked rather than told: watching a file misses changes on network and container file systems.
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            while (access.Enabled && await timer.WaitForNextTickAsync(stoppingToken))
            {
                await ReloadAsync(stoppingToken);
                waiting.EndLost();
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The server stops.
        }
    }

    private async Task ReloadAsync(CancellationToken stoppingToken)
    {
        try
        {
            await access.ReloadAsync(stoppingToken);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // A border: an edit of the file must not end the server, and the next one must be seen.
            Log.ReloadFailed(logger, e);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(802, LogLevel.Error, "The access file could not be read again; the former rules still apply")]
        public static partial void ReloadFailed(ILogger logger, Exception exception);
    }
}
