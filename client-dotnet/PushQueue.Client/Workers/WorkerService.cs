using Microsoft.Extensions.Hosting;

namespace PushQueue.Client;

/// <summary>
/// A worker that runs with a host, and drains with it. A refusal by the server is logged once and the worker tries again: an exception out
/// of a background service would stop the whole host.
/// </summary>
internal sealed class WorkerService(Worker worker) : BackgroundService
{
    private static readonly RetryOptions Restart = new() { FirstDelay = TimeSpan.FromSeconds(1), LongestDelay = TimeSpan.FromMinutes(1) };

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var lastReason = "";
        for (var failures = 1; !stoppingToken.IsCancellationRequested; failures++)
        {
            try
            {
                await worker.RunAsync(stoppingToken).ConfigureAwait(false);
            }
            catch (PushQueueException e)
            {
                // A queue that was deleted is made again at once by the worker's next stream.
                failures = e.Type == ProblemTypes.QueueDeleted ? 1 : failures;
                Tell(e, lastReason);
                lastReason = e.Detail;
                await Task.Delay(
                    Restart.DelayBefore(failures + 1), worker.Time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private void Tell(PushQueueException e, string lastReason)
    {
        if (e.Detail == lastReason)
        {
            WorkerLog.StillRefused(worker.Logger, worker.Queue, e.Detail);
        }
        else
        {
            WorkerLog.Refused(worker.Logger, worker.Queue, e.Detail);
        }
    }
}
