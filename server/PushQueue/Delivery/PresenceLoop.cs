using Microsoft.Extensions.Logging;
using PushQueue.Queues;

namespace PushQueue.Delivery;

/// <summary>
/// One loop for all consumers: a queue with a consumer is in use although nothing is put into it, and a worker on a stream is there
/// although it has nothing to do.
/// </summary>
internal sealed class PresenceLoop(
    Dispatcher dispatcher, WorkerRegistry workers, TimeProvider time, ILogger<PresenceLoop> logger, MessageMeter meter)
{
    /// <summary>A quarter of the shortest time after which a queue or a worker may go.</summary>
    private static readonly TimeSpan Interval = QueueExpiry.ShortestAfter / 4;

    private readonly FaultBorder _faults = new("presence", logger, meter);

    public async Task RunAsync(CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stopping))
            {
                await ReportAllAsync();
            }
        }
        catch (OperationCanceledException)
        {
            // The server stops.
        }
    }

    private async Task ReportAllAsync()
    {
        foreach (var queue in dispatcher.Queues)
        {
            try
            {
                await queue.KeepAsync(isJoining: false);
            }
            catch (StoreUnavailableException)
            {
                // The store deletes nothing while it is away, and the next round is a quarter of the time.
            }
            catch (Exception e)
            {
                _faults.Report(queue.Queue, e);
            }
        }

        foreach (var consumer in dispatcher.ListConsumers(queue: null))
        {
            if (consumer.Options.Worker is { } worker)
            {
                workers.Seen(consumer.Queue, worker);
            }
        }
    }
}
