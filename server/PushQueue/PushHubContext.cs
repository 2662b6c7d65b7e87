using Microsoft.AspNetCore.SignalR;
using PushQueue.Transports.SignalR;

namespace PushQueue;

/// <summary>Hides the type of the hub, whose methods and parameters are no API for applications.</summary>
internal sealed class PushHubContext(IHubContext<PushHub> hub) : IPushHubContext
{
    public IHubClients Clients => hub.Clients;

    public IGroupManager Groups => hub.Groups;
}
