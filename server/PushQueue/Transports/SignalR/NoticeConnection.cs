using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;
using Microsoft.Extensions.Logging;

namespace PushQueue.Transports.SignalR;

/// <summary>
/// The node itself as a member of the hub's groups: a connection without a client, so that what is sent to a group can be received by the
/// server's own code as well.
/// </summary>
internal sealed class NoticeConnection(Action<ReadOnlyMemory<byte>> receive, IHubProtocol protocol, ILoggerFactory loggers)
    : HubConnectionContext(new DefaultConnectionContext(), new HubConnectionContextOptions(), loggers)
{
    public override ValueTask WriteAsync(HubMessage message, CancellationToken cancellationToken = default)
    {
        receive(protocol.GetMessageBytes(message));
        return default;
    }

    public override ValueTask WriteAsync(SerializedHubMessage message, CancellationToken cancellationToken = default)
    {
        receive(message.GetSerializedMessage(protocol));
        return default;
    }
}
