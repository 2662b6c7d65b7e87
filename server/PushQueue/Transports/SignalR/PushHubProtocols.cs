using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;
using Microsoft.Extensions.Options;

namespace PushQueue.Transports.SignalR;

/// <summary>
/// The protocols of the queue's hub. They are not registered with SignalR: other hubs of the application keep theirs, and an application
/// that adds MessagePack for those, in whatever order, changes nothing here.
/// </summary>
internal sealed class PushHubProtocols : IHubProtocolResolver
{
    public PushHubProtocols(
        IOptions<JsonHubProtocolOptions> json, IOptions<MessagePackHubProtocolOptions> packed, IOptions<HubOptions<PushHub>> hub)
    {
        AllProtocols =
        [
            new PushHubProtocol(new DeepJsonProtocol(new JsonHubProtocol(json))),
            new PushHubProtocol(new PackedHubProtocol(packed.Value, hub.Value.MaximumReceiveMessageSize ?? int.MaxValue)),
        ];
    }

    public IReadOnlyList<IHubProtocol> AllProtocols { get; }

    public IHubProtocol? GetProtocol(string protocolName, IReadOnlyList<string>? supportedProtocols)
    {
        foreach (var protocol in AllProtocols)
        {
            if (protocol.Name.Equals(protocolName, StringComparison.OrdinalIgnoreCase))
            {
                return supportedProtocols?.Contains(protocolName, StringComparer.OrdinalIgnoreCase) == false ? null : protocol;
            }
        }

        return null;
    }
}
