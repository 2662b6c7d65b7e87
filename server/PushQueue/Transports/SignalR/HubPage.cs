using Microsoft.AspNetCore.SignalR;
using PushQueue.Delivery.Encoding;

namespace PushQueue.Transports.SignalR;

/// <summary>A page in the wrapping that SignalR takes without serializing again.</summary>
internal sealed class HubPage(string protocol, byte[] bytes, long firstOffset, long lastOffset)
    : EncodedPage(bytes, firstOffset, lastOffset)
{
    public SerializedHubMessage Message { get; } = new([new SerializedMessage(protocol, bytes)]);
}
