using Microsoft.Extensions.Hosting;
using PushQueue.Client.Handlers;
using PushQueue.Diagnostics;
using PushQueue.Queues;

namespace PushQueue.Hosting;

/// <summary>
/// Opens the store before any hosted service starts, so before the server listens; on the way down ends the waiting takes before the
/// server waits for its requests. The store itself is closed (and flushed) by the container, after everything that uses it.
/// </summary>
internal sealed class StoreService(
    IStoreLifecycle store, QueueChangeFanout listeners, MessageBroker broker, NodeEvents events, HandlerService handlers)
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

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        // The application's own handlers can still put, whichever of the two services was registered first.
        await handlers.DrainAsync(cancellationToken);
        broker.BeginDrain();
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
