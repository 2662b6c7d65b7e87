using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PushQueue.Diagnostics;

namespace PushQueue.Hosting;

/// <summary>Takes the samples behind the rates, once a second.</summary>
internal sealed partial class RateSampler(QueueRates rates, TimeProvider time, ILogger<RateSampler> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1), time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                await SampleAsync();
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The server stops.
        }
    }

    private async Task SampleAsync()
    {
        try
        {
            await rates.SampleAsync();
        }
        catch (Exception e)
        {
            // Rates are for people to look at; a store that fails says so to those who use it.
            Log.SampleFailed(logger, e);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(700, LogLevel.Warning, "Could not sample the counters of the queues")]
        public static partial void SampleFailed(ILogger logger, Exception exception);
    }
}
