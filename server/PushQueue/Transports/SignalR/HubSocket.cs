using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using PushQueue.Delivery;
using PushQueue.Delivery.Encoding;
using PushQueue.Queues;
using PushQueue.Transports.Framing;
using PushQueue.Transports.Streaming;

namespace PushQueue.Transports.SignalR;

/// <summary>
/// One open WebSocket of a hub client: brings what the client sends to the hub, and ends both in order, whichever side begins.
/// </summary>
internal sealed class HubSocket(
    HttpContext http, WebSocketConnection connection, OutboundBuffer buffer, LimitHits hits, TimeProvider time, ILogger logger)
{
    private const int InputBytesMax = 64 * 1024;

    // Calls that a client sent before it closed are still done; those that take longer are cancelled, because nothing waits for them.
    private static readonly TimeSpan LastCallsTimeout = TimeSpan.FromSeconds(1);

    private static readonly PipeOptions InputOptions = new(
        pauseWriterThreshold: InputBytesMax, resumeWriterThreshold: InputBytesMax / 2, useSynchronizationContext: false);

    private readonly Pipe _input = new(InputOptions);

    /// <summary>Completes when both the socket and the hub are through. Never throws.</summary>
    public async Task RunAsync(Stream stream, int frameBytesMax, ConnectionHandler hub)
    {
        var context = new HubSocketContext(http, connection, buffer, _input.Reader);
        connection.Tick = context.Tick;
        await using var aborted = http.RequestAborted.UnsafeRegister(static state => ((HubSocketContext)state!).OnGone(), context);
        var serving = ServeAsync(hub, context);
        if (await ReadAsync(stream, frameBytesMax))
        {
            _ = await Task.WhenAny(serving, Task.Delay(LastCallsTimeout, time));
        }

        context.OnGone();
        await serving;
    }

    private async Task ServeAsync(ConnectionHandler hub, HubSocketContext context)
    {
        var reason = CloseReason.Normal;
        try
        {
            await hub.OnConnectedAsync(context);
        }
        catch (Exception e)
        {
            Log.HubFailed(logger, e);
            reason = CloseReason.ServerError;
        }

        // The hub has sent its closing notice, if the server ends the connection; the client answers the close frame, or is cut.
        await _input.Reader.CompleteAsync();
        buffer.Close(reason, keepWaiting: true);
    }

    /// <summary>
    /// Reads until the end, even when the hub is through: the client's close frame may be still to come. True where it came.
    /// </summary>
    private async Task<bool> ReadAsync(Stream stream, int frameBytesMax)
    {
        using var reader = new WebSocketFrameReader(stream, frameBytesMax, connection.Heard);
        var closed = false;
        for (var open = true; open;)
        {
            var frame = await reader.ReadAsync();
            switch (frame.Kind)
            {
                case WebSocketInput.Text or WebSocketInput.Binary:
                    await FeedAsync(frame.Payload);
                    break;
                case WebSocketInput.Ping:
                    await AnswerPingAsync(frame.Payload);
                    break;
                case WebSocketInput.Close:
                    buffer.Close(CloseReason.Normal, keepWaiting: false);
                    closed = true;
                    open = false;
                    break;
                case WebSocketInput.Broken:
                    if (frame.Broken == CloseReason.FrameTooLarge)
                    {
                        hits.Count(LimitNames.FrameBytes);
                    }

                    buffer.Close(frame.Broken!, keepWaiting: false);
                    open = false;
                    break;
                case WebSocketInput.End:
                    // A write that is still pending must not wait for a client that has gone.
                    connection.Abort(CloseReason.Normal);
                    open = false;
                    break;
            }
        }

        connection.ReadingEnded();
        await _input.Writer.CompleteAsync();
        return closed;
    }

    /// <summary>Gives a frame to the hub, no faster than it takes it.</summary>
    private async ValueTask FeedAsync(ReadOnlyMemory<byte> payload)
    {
        while (!payload.IsEmpty)
        {
            var length = Math.Min(payload.Length, InputBytesMax);
            var write = _input.Writer.WriteAsync(payload[..length]);
            payload = payload[length..];
            if (write.IsCompletedSuccessfully)
            {
                // Gives a pooled source back; it has completed.
                _ = write.Result;
                continue;
            }

            connection.NotListening = true;
            _ = await write;
            connection.NotListening = false;
        }
    }

    private async ValueTask AnswerPingAsync(ReadOnlyMemory<byte> payload)
    {
        _ = buffer.Offer(WebSocketFormat.EncodePong(payload.Span));
        if (buffer.WaitForRoomAsync() is { IsCompleted: false } room)
        {
            // A client that pings without reading is not read from any further.
            connection.NotListening = true;
            await room;
            connection.NotListening = false;
        }
    }
}
