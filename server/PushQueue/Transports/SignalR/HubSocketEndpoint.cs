using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using PushQueue.Delivery;
using PushQueue.Queues;
using PushQueue.Transports.Streaming;

namespace PushQueue.Transports.SignalR;

/// <summary>
/// Serves WebSockets of hub clients that skip negotiation. SignalR runs the hub over them, but what is pushed goes to the socket as it goes
/// to any other WebSocket: SignalR's own transport would copy each page twice more, hop to another thread and cut it into fragments.
/// </summary>
internal sealed class HubSocketEndpoint(
    HubConnectionHandler<PushHub> hub,
    ConsumerConnections connections,
    CoarseClock clock,
    ConnectionCallers callers,
    TimeProvider time,
    IOptions<HubOptions<PushHub>> hubOptions,
    LimitHits hits,
    ILogger<HubSocketEndpoint> logger)
{
    private readonly int _frameBytesMax = (int)Math.Min(int.MaxValue / 2, hubOptions.Value.MaximumReceiveMessageSize ?? int.MaxValue);

    /// <summary>
    /// Whether this request is one to serve here: a client that negotiated names its connection by id, and SignalR knows it.
    /// </summary>
    public static bool Serves(HttpContext context) =>
        WebSocketHandshake.WhyNot(context) is null && !context.Request.Query.ContainsKey("id");

    public async Task ServeAsync(HttpContext context)
    {
        if (StreamAdmission.WhyNot(connections) is { } refusal)
        {
            await RefusalForm.RefuseAsync(context, refusal);
            return;
        }

        var connection = new WebSocketConnection(context, callers.Of(context.User), clock, time, multiplexed: true)
        {
            Transport = "signalr",
        };
        await using var session = connections.Begin(connection);
        try
        {
            if (await OpenAsync(context, connection, session.Buffer) is { } stream)
            {
                await new HubSocket(context, connection, session.Buffer, hits, time, logger).RunAsync(stream, _frameBytesMax, hub);
            }
        }
        finally
        {
            connection.ReadingEnded();
        }
    }

    private async ValueTask<Stream?> OpenAsync(HttpContext context, WebSocketConnection connection, OutboundBuffer buffer)
    {
        try
        {
            var stream = await WebSocketHandshake.AcceptAsync(context);
            connection.Attach(stream);
            buffer.Open();
            return stream;
        }
        catch (Exception e)
        {
            // The client went during the handshake.
            Log.OpeningFailed(logger, e);
            return null;
        }
    }
}
