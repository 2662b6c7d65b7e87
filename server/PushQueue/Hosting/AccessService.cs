using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PushQueue.Security;

namespace PushQueue.Hosting;

/// <summary>
/// Reads the access file and the key set before the server listens, and checks once a second whether they have changed and who lost by it.
/// </summary>
internal sealed partial class AccessService(
    AccessControl access, KeySetFile keys, OwnTokens tokens, WaitingRights waiting, TimeProvider time, ILogger<AccessService> logger)
    : BackgroundService, IHostedLifecycleService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        await access.LoadAsync(cancellationToken);
        await keys.LoadAsync(cancellationToken);
    }

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
            await keys.ReloadAsync(stoppingToken);
            await tokens.RefreshAsync();
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
