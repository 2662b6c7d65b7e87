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
    Subscriptions subscriptions,
    LimitHits hits,
    IOptions<DeliveryOptions> options,
    ILogger<WebSocketEndpoint> logger)
{
    /// <summary>A socket that belongs to one queue; commands work on it too.</summary>
    public async Task ServeQueueAsync(HttpContext context)
    {
        if (StreamRequest.Read(context, out var error, out var detail) is { } request)
        {
            await ServeAsync(context, request, session => JoinAsync(session, request, format: null));
        }
        else
        {
            await RefusalForm.RefuseAsync(context, ProblemDetailsMapper.ToProblem(new BrokerFailure(error, detail)));
        }
    }

    /// <summary>A socket without a subscription yet, for many; or with one to the many queues that the query names.</summary>
    public async Task ServeManyAsync(HttpContext context)
    {
        if (!ManyRequest.IsIn(context.Request))
        {
            await (StreamRequest.WhyNoOptions(
                context.Request, "give the options of a stream with the command subscribe") is { } whyNot
                ? RefusalForm.RefuseAsync(context, Problem.BadOption(whyNot))
                : ServeAsync(context, request: null, joinAsync: null));
        }
        else if (ManyRequest.Read(context.Request, out var problem) is { } request)
        {
            await ServeAsync(context, request: null, session => JoinManyAsync(session, request));
        }
        else
        {
            await RefusalForm.RefuseAsync(context, problem!);
        }
    }

    /// <summary>A socket of a dialect: messages in its form, and no commands; a text frame comes back as it is.</summary>
    public Task ServeEchoAsync(HttpContext context, StreamRequest request, MessageFormat format) =>
        ServeAsync(context, request, session => JoinAsync(session, request, format), isEcho: true);

    private static async ValueTask<(EncodedPage? Opening, Problem? Problem)> JoinAsync(
        ConsumerSession session, StreamRequest request, MessageFormat? format)
    {
        format ??= request.Options.Raw ? WebSocketFormat.Raw : WebSocketFormat.Envelopes;
        var consumer = await session.SubscribeAsync(request.Queue, format, request.Options);
        return (await Dispatcher.EncodeOpeningAsync(consumer), null);
    }

    private async ValueTask<(EncodedPage? Opening, Problem? Problem)> JoinManyAsync(ConsumerSession session, ManyRequest request)
    {
        var (opening, problem) = await subscriptions.SubscribeManyAsync(session.Buffer, request, ManyFormat.Sockets, ManyFormat.RawSockets);
        return (opening?.Page, problem);
    }

    /// <param name="context">The request.</param>
    /// <param name="request">Of a socket that belongs to one queue.</param>
    /// <param name="joinAsync">
    /// Lets the consumers join; the first page, or why they could not. Null for a socket without a subscription.
    /// </param>
    /// <param name="isEcho">A dialect's socket, which takes no commands.</param>
    private async Task ServeAsync(
        HttpContext context,
        StreamRequest? request,
        Func<ConsumerSession, ValueTask<(EncodedPage? Opening, Problem? Problem)>>? joinAsync,
        bool isEcho = false)
    {
        if (WebSocketHandshake.WhyNot(context) is { } whyNot)
        {
            await WebSocketHandshake.RefuseAsync(context, whyNot);
            return;
        }

        if (StreamAdmission.WhyNot(connections) is { } refusal)
        {
            await RefusalForm.RefuseAsync(context, refusal);
            return;
        }

        if (request is not null && await subscriptions.PrepareAsync(request.Queue, request.Options) is { } problem)
        {
            await RefusalForm.RefuseAsync(context, problem);
            return;
        }

        var connection = new WebSocketConnection(context, callers.Of(context.User), clock, time, multiplexed: joinAsync is null);
        await using var session = connections.Begin(connection);
        try
        {
            if (await OpenAsync(context, connection, session, joinAsync) is { } stream)
            {
                await ReadAsync(connection, session.Buffer, stream, isEcho, context.RequestAborted);
            }
        }
        finally
        {
            connection.ReadingEnded();
        }
    }

    private async ValueTask<Stream?> OpenAsync(
        HttpContext context,
        WebSocketConnection connection,
        ConsumerSession session,
        Func<ConsumerSession, ValueTask<(EncodedPage? Opening, Problem? Problem)>>? joinAsync)
    {
        try
        {
            // Joined before the handshake is answered: a client that sees the socket open gets all messages that are put from then on.
            var (opening, problem) = joinAsync is null ? default : await joinAsync(session);
            if (problem is not null)
            {
                await RefusalForm.RefuseAsync(context, problem);
                return null;
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
                Log.StreamFailed(logger, e, connection.Transport, context.Request.RouteValues["queue"] as string);
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
                        hits.Count(LimitNames.FrameBytes);
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
