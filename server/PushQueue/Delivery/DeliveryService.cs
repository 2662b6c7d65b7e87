using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace PushQueue.Delivery;

/// <summary>
/// Runs the watch and the presence loop while the host runs, and drains the streams as soon as the host begins to stop: before the web
/// server waits for its requests to end.
/// </summary>
internal sealed class DeliveryService(
    Dispatcher dispatcher,
    ConnectionWatch watch,
    PresenceLoop presence,
    IHostApplicationLifetime lifetime,
    IOptions<DeliveryOptions> options) : IHostedService, IDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationTokenSource _hostGivesUp = new();
    private Task _watching = Task.CompletedTask;
    private Task _telling = Task.CompletedTask;
    private Task _draining = Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _watching = watch.RunAsync(_stopping.Token);
        _telling = presence.RunAsync(_stopping.Token);
        _ = lifetime.ApplicationStopping.Register(
            () => _draining = dispatcher.DrainAsync(options.Value.DrainTimeout, _hostGivesUp.Token));
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await using var registration = cancellationToken.Register(_hostGivesUp.Cancel);
        await _draining;
        await _stopping.CancelAsync();
        await _watching;
        await _telling;
    }

    public void Dispose()
    {
        _stopping.Dispose();
        _hostGivesUp.Dispose();
    }
}
