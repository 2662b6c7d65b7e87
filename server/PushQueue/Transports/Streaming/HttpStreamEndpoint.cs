using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.Logging;
using PushQueue.Delivery;
using PushQueue.Delivery.Encoding;
using PushQueue.Queues;
using PushQueue.Transports.Framing;

namespace PushQueue.Transports.Streaming;

/// <summary>Serves comet (<c>GET /c/{queue}</c>) and server-sent events (<c>GET /sse/{queue}</c>).</summary>
internal sealed class HttpStreamEndpoint(
    ConsumerConnections connections,
    ConnectionCallers callers,
    Subscriptions subscriptions,
    QueuePolicies policies,
    ILogger<HttpStreamEndpoint> logger)
{
    public const string EventStream = "text/event-stream";

    private const string Lines = "application/x-ndjson";

    public Task ServeCometAsync(HttpContext context) =>
        AsksForEvents(context) ? ServeEventsAsync(context) : ServeAsync(context, events: false);

    public Task ServeEventsAsync(HttpContext context) => ServeAsync(context, events: true);

    /// <summary><c>GET /c?queue=…</c></summary>
    public Task ServeManyCometAsync(HttpContext context) => ServeManyAsync(context, events: AsksForEvents(context));

    /// <summary><c>GET /sse?queue=…</c></summary>
    public Task ServeManyEventsAsync(HttpContext context) => ServeManyAsync(context, events: true);

    private static bool AsksForEvents(HttpContext context) =>
        context.Request.Headers.Accept.ToString().Contains(EventStream, StringComparison.OrdinalIgnoreCase);

    private async Task ServeManyAsync(HttpContext context, bool events)
    {
        if (events && LastEventId.EndsIfStopped(context))
        {
            return;
        }

        if (ManyRequest.Read(context.Request, out var problem) is not { } request)
        {
            await RefusalForm.RefuseAsync(context, problem!);
            return;
        }

        var form = ManyFormOf(events, request.Options.Raw);
        var chunked = HttpProtocol.IsHttp11(context.Request.Protocol);
        PrepareResponse(context, form.ContentType, chunked);
        var connection = new HttpStreamConnection(context, form.Transport, chunked ? form.Chunked : form.Format, callers.Of(context.User));
        await RunAsync(context, connection, chunked, session => JoinManyAsync(session.Buffer, request, connection.ControlFormat));
    }

    private async ValueTask<(
        EncodedPage? Opening, Problem? Problem)> JoinManyAsync(OutboundBuffer buffer, ManyRequest request, MessageFormat format)
    {
        var (opening, problem) = await subscriptions.SubscribeManyAsync(buffer, request, format, format);
        return (opening?.Page, problem);
    }

    private async Task ServeAsync(HttpContext context, bool events)
    {
        if (events && LastEventId.EndsIfStopped(context))
        {
            return;
        }

        if (StreamAdmission.WhyNot(connections) is { } refusal)
        {
            await RefusalForm.RefuseAsync(context, refusal);
            return;
        }

        if (StreamRequest.Read(context, out var error, out var detail) is not { } request)
        {
            await RefusalForm.RefuseAsync(context, ProblemDetailsMapper.ToProblem(new BrokerFailure(error, detail)));
            return;
        }

        if (await policies.PrepareAsync(request.Queue, request.Options) is { } problem)
        {
            await RefusalForm.RefuseAsync(context, problem);
            return;
        }

        await ServeAsync(context, request, FormOf(events, request.Options.Raw));
    }

    /// <summary>A stream in a form of its caller's; the node is not draining.</summary>
    public Task ServeAsync(HttpContext context, StreamRequest request, HttpStreamForm form)
    {
        // Only HTTP/1.1 has chunks; over HTTP/2 and HTTP/1.0 the server frames the body.
        var chunked = HttpProtocol.IsHttp11(context.Request.Protocol);
        PrepareResponse(context, form.ContentType, chunked);
        var connection = new HttpStreamConnection(context, form.Transport, chunked ? form.Chunked : form.Format, callers.Of(context.User));
        return RunAsync(context, connection, chunked, session => JoinAsync(session, request, connection.ControlFormat));
    }

    private static async ValueTask<(EncodedPage? Opening, Problem? Problem)> JoinAsync(
        ConsumerSession session, StreamRequest request, MessageFormat format)
    {
        var consumer = await session.SubscribeAsync(request.Queue, format, request.Options);
        return (await Dispatcher.EncodeOpeningAsync(consumer), null);
    }

    /// <param name="context">The request.</param>
    /// <param name="connection">Its response.</param>
    /// <param name="chunked">Whether pages are chunks already.</param>
    /// <param name="joinAsync">Lets the consumers join; the first page, or why they could not.</param>
    private async Task RunAsync(
        HttpContext context,
        HttpStreamConnection connection,
        bool chunked,
        Func<ConsumerSession, ValueTask<(EncodedPage? Opening, Problem? Problem)>> joinAsync)
    {
        await using (var session = connections.Begin(connection))
        {
            using var aborted = context.RequestAborted.UnsafeRegister(
                static state => ((HttpStreamConnection)state!).Abort(CloseReason.Normal), connection);
            if (!await ServeAsync(context, connection, session, joinAsync))
            {
                return;
            }
        }

        if (chunked && !connection.Aborted)
        {
            await connection.WriteAsync(ChunkedFormat.LastChunk);
        }
    }

    /// <summary>Until either side ends the stream. False where it was refused, and answered.</summary>
    private async ValueTask<bool> ServeAsync(
        HttpContext context,
        HttpStreamConnection connection,
        ConsumerSession session,
        Func<ConsumerSession, ValueTask<(EncodedPage? Opening, Problem? Problem)>> joinAsync)
    {
        try
        {
            // Joined before the headers go out: a client that sees the stream open gets all that is put from then on.
            var (opening, problem) = await joinAsync(session);
            if (problem is not null)
            {
                await RefuseAsync(context, problem);
                return false;
            }

            await context.Response.StartAsync(context.RequestAborted);
            await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
            session.Buffer.Open(opening);
            await connection.Ended;
        }
        catch (OperationCanceledException)
        {
            // The client went while its stream was being opened.
        }
        catch (Exception e) when (!context.Response.HasStarted)
        {
            if (e is not StoreUnavailableException)
            {
                Log.StreamFailed(logger, e, connection.Transport, context.Request.RouteValues["queue"] as string);
            }

            await RefuseAsync(context, new Problem(ProblemType.StoreUnavailable));
            return false;
        }

        return true;
    }

    /// <summary>After the headers of a stream were prepared.</summary>
    private static Task RefuseAsync(HttpContext context, Problem problem)
    {
        // Not those that let a page of another origin read the answer.
        context.Response.Headers.TransferEncoding = default;
        context.Response.Headers.CacheControl = default;
        return RefusalForm.RefuseAsync(context, problem);
    }

    private static void PrepareResponse(HttpContext context, string contentType, bool chunked)
    {
        // The server's own rule counts bytes since the start of the response, which a stream that was idle for long always meets; a stuck
        // reader is found by the stall timeout.
        if (context.Features.Get<IHttpMinResponseDataRateFeature>() is { } minRate && chunked)
        {
            minRate.MinDataRate = null;
        }

        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        var response = context.Response;
        response.StatusCode = StatusCodes.Status200OK;
        response.ContentType = contentType;
        response.Headers.CacheControl = "no-store, no-transform";
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers.ContentSecurityPolicy = ContentTypes.BodyPolicy;
        response.Headers["X-Accel-Buffering"] = "no";
        if (chunked)
        {
            // Said by us, so that the server leaves the body as it is: pages are chunks already, and the same bytes serve all.
            response.Headers.TransferEncoding = "chunked";
        }
    }

    private static HttpStreamForm ManyFormOf(bool events, bool raw) => (events, raw) switch
    {
        (true, false) => new("sse", EventStream, ManyFormat.Events, ChunkedFormat.ManyEvents),
        (true, true) => new("sse", EventStream, ManyFormat.RawEvents, ChunkedFormat.ManyRawEvents),
        (false, false) => new("comet", Lines, ManyFormat.Lines, ChunkedFormat.ManyLines),
        (false, true) => new("comet", Lines, ManyFormat.RawLines, ChunkedFormat.ManyRawLines),
    };

    private static HttpStreamForm FormOf(bool events, bool raw) => (events, raw) switch
    {
        (true, false) => new("sse", EventStream, ServerSentEventFormat.Envelopes, ChunkedFormat.Events),
        (true, true) => new("sse", EventStream, ServerSentEventFormat.Raw, ChunkedFormat.RawEvents),
        (false, false) => new("comet", Lines, LineFormat.Envelopes, ChunkedFormat.Lines),
        (false, true) => new("comet", Lines, LineFormat.Raw, ChunkedFormat.RawLines),
    };
}
