using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PushQueue.Diagnostics;
using PushQueue.Queues;

namespace PushQueue.Hosting;

/// <summary>Takes the samples behind the rates, once a second, and those behind metrics that are exported.</summary>
internal sealed class RateSampler(
    QueueRates rates, QueueSeries series, DiagnosticsOptions options, TimeProvider time, ILogger<RateSampler> logger, MessageMeter meter)
    : BackgroundService
{
    private readonly FaultBorder _faults = new("sampling", logger, meter);
    private long _refreshedAt;

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
            if (options.RefreshInterval is { } interval && time.GetElapsedTime(_refreshedAt) >= interval)
            {
                _refreshedAt = time.GetTimestamp();
                await series.RefreshAsync(CancellationToken.None);
            }
        }
        catch (StoreUnavailableException)
        {
            // The store itself says that it is away, and when it is back.
        }
        catch (Exception e)
        {
            // Rates are for people to look at; a store that fails says so to those who use it.
            _faults.Report(e);
        }
    }
}
