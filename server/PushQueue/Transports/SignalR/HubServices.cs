using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.DependencyInjection;

namespace PushQueue.Transports.SignalR;

/// <summary>
/// The services of the application for the parts of SignalR that serve the queue's hub: with the hub's own protocols in place of those that
/// the application registered for its hubs.
/// </summary>
internal sealed class HubServices(IServiceProvider services) : IServiceProvider
{
    public object? GetService(Type serviceType) =>
        serviceType == typeof(IHubProtocolResolver) ? services.GetRequiredService<PushHubProtocols>() : services.GetService(serviceType);
}
