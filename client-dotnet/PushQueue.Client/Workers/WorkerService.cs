using Microsoft.Extensions.Hosting;

namespace PushQueue.Client;

/// <summary>A worker that runs with a host, and drains with it.</summary>
internal sealed class WorkerService(Worker worker) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => worker.RunAsync(stoppingToken);
}
