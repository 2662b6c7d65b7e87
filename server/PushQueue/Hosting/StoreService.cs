using Microsoft.Extensions.Hosting;
using PushQueue.Diagnostics;
using PushQueue.Queues;

namespace PushQueue.Hosting;

/// <summary>
/// Opens the store before any hosted service starts, so before the server listens; on the way down ends the waiting takes before the
/// server waits for its requests. The store itself is closed (and flushed) by the container, after everything that uses it.
/// </summary>
internal sealed class StoreService(IStoreLifecycle store, QueueChangeFanout listeners, MessageBroker broker, NodeEvents events)
    : IHostedLifecycleService
{
    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        try
        {
            await store.OpenAsync(listeners, cancellationToken);
            events.Add(NodeEventLevel.Info, "started", $"The node started with its {store.Description} ({store.Durability}).");
        }
        catch (StoreOpenException e)
        {
            throw new PushQueueStartException(e.Message, e);
        }
    }

    public Task StoppingAsync(CancellationToken cancellationToken)
    {
        broker.BeginDrain();
        return Task.CompletedTask;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
