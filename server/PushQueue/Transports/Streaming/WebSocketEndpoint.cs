using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using PushQueue.Delivery;
using PushQueue.Delivery.Encoding;
using PushQueue.Queues;
using PushQueue.Transports.Framing;

namespace PushQueue.Transports.Streaming;

/// <summary>Serves <c>GET /ws/{queue}</c> and <c>GET /ws</c>.</summary>
internal sealed class WebSocketEndpoint(
    ConsumerConnections connections,
    CoarseClock clock,
    TimeProvider time,
    WebSocketCommands commands,
    ConnectionCallers callers,
    QueuePolicies policies,
    LimitHits hits,
    IOptions<DeliveryOptions> options,
    ILogger<WebSocketEndpoint> logger)
{
    /// <summary>A socket that belongs to one queue; commands work on it too.</summary>
    public async Task ServeQueueAsync(HttpContext context)
    {
        if (StreamRequest.Read(context, out var error, out var detail) is { } request)
        {
            await ServeAsync(context, request);
        }
        else
        {
            await RefusalForm.RefuseAsync(context, ProblemDetailsMapper.ToProblem(new BrokerFailure(error, detail)));
        }
    }

    /// <summary>A socket without a subscription yet, for many.</summary>
    public Task ServeManyAsync(HttpContext context) => StreamRequest.WhyNoOptions(context.Request) is { } whyNot
        ? RefusalForm.RefuseAsync(context, Problem.BadOption(whyNot))
        : ServeAsync(context, request: null);

    /// <summary>A socket of a dialect: messages in its form, and no commands; a text frame comes back as it is.</summary>
    public Task ServeEchoAsync(HttpContext context, StreamRequest request, MessageFormat format) => ServeAsync(context, request, format);

    private async Task ServeAsync(HttpContext context, StreamRequest? request, MessageFormat? echoing = null)
    {
        if (WebSocketHandshake.WhyNot(context) is { } whyNot)
        {
            WebSocketHandshake.Ask(context.Response);
            await RefusalForm.RefuseAsync(context, new Problem(ProblemType.UpgradeRequired, whyNot));
            return;
        }

        if (StreamAdmission.WhyNot(connections) is { } refusal)
        {
            await RefusalForm.RefuseAsync(context, refusal);
            return;
        }

        if (request is not null && await policies.PrepareAsync(request.Queue, request.Options) is { } problem)
        {
            await RefusalForm.RefuseAsync(context, problem);
            return;
        }

        var connection = new WebSocketConnection(context, callers.Of(context.User), clock, time, multiplexed: request is null);
        await using var session = connections.Begin(connection);
        try
        {
            if (await OpenAsync(context, request, echoing, connection, session) is { } stream)
            {
                await ReadAsync(connection, session.Buffer, stream, echoing is not null, context.RequestAborted);
            }
        }
        finally
        {
            connection.ReadingEnded();
        }
    }

    private async ValueTask<Stream?> OpenAsync(
        HttpContext context, StreamRequest? request, MessageFormat? format, WebSocketConnection connection, ConsumerSession session)
    {
        try
        {
            EncodedPage? opening = null;
            if (request is not null)
            {
                // Joined before the handshake is answered: a client that sees the socket open gets all messages that are put from then on.
                format ??= request.Options.Raw ? WebSocketFormat.Raw : WebSocketFormat.Envelopes;
                var consumer = await session.SubscribeAsync(request.Queue, format, request.Options);
                opening = await Dispatcher.EncodeOpeningAsync(consumer);
            }

            var stream = await WebSocketHandshake.AcceptAsync(context);
            connection.Attach(stream);
            session.Buffer.Open(opening);
            return stream;
        }
        catch (Exception e)
        {
            // The store failed, or the client went during the handshake.
            if (e is not StoreUnavailableException)
            {
                Log.StreamFailed(logger, e, connection.Transport, request?.Queue.Value);
            }

            if (!context.Response.HasStarted)
            {
                await RefusalForm.RefuseAsync(context, new Problem(ProblemType.StoreUnavailable));
            }

            return null;
        }
    }

    private async Task ReadAsync(WebSocketConnection connection, OutboundBuffer buffer, Stream stream, bool echo, CancellationToken aborted)
    {
        using var reader = new WebSocketFrameReader(stream, commands.FrameBytesMax, connection.Heard);
        await using var waits = new WebSocketWaits(commands, buffer, hits, options.Value.WaitingCommandsMax, aborted);
        while (true)
        {
            var frame = await reader.ReadAsync();
            switch (frame.Kind)
            {
                case WebSocketInput.Text when echo:
                    _ = buffer.Offer(WebSocketFormat.EncodeText(frame.Payload.Span));
                    break;
                case WebSocketInput.Binary when echo:
                    break;
                case WebSocketInput.Text:
                    var command = WebSocketCommands.Read(buffer, frame.Payload);
                    if (!waits.TryStart(command))
                    {
                        var answer = await commands.ExecuteAsync(buffer, command, aborted);
                        _ = buffer.Offer(WebSocketFormat.EncodeText(answer.Span), observer: WrittenTake.Of(command.Pending));
                    }

                    break;
                case WebSocketInput.Binary:
                    _ = buffer.Offer(WebSocketFormat.EncodeText(CommandErrors.BinaryFrame.Span));
                    break;
                case WebSocketInput.Ping:
                    _ = buffer.Offer(WebSocketFormat.EncodePong(frame.Payload.Span));
                    break;
                case WebSocketInput.Close:
                    buffer.Close(CloseReason.Normal, keepWaiting: false);
                    return;
                case WebSocketInput.Broken:
                    if (frame.Broken == CloseReason.FrameTooLarge)
                    {
                        hits.Count("frame-bytes");
                    }

                    buffer.Close(frame.Broken!, keepWaiting: false);
                    return;
                case WebSocketInput.End:
                    // A write that is still pending must not wait for a client that has gone.
                    connection.Abort(CloseReason.Normal);
                    return;
            }

            // A client that sends without reading is not read from any further.
            await buffer.WaitForRoomAsync();
        }
    }
}
