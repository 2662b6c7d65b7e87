using Microsoft.AspNetCore.SignalR.Client;

namespace PushQueue.Client;

/// <summary>Has messages pushed over a hub connection of the program's own. It is started where it is not, and not stopped at the
/// end.</summary>
public sealed record HubConsumeOptions : ConsumeOptions
{
    /// <summary>Options over a hub connection.</summary>
    public HubConsumeOptions(HubConnection hub)
    {
        ArgumentNullException.ThrowIfNull(hub);
        Hub = hub;
        Transport = ConsumeTransport.SignalR;
    }

    /// <summary>The connection.</summary>
    public HubConnection Hub { get; }
}
