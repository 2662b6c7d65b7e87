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
    QueuePolicies policies,
    ILogger<HttpStreamEndpoint> logger)
{
    public const string EventStream = "text/event-stream";

    private const string Lines = "application/x-ndjson";

    public Task ServeCometAsync(HttpContext context) =>
        context.Request.Headers.Accept.ToString().Contains(EventStream, StringComparison.OrdinalIgnoreCase)
            ? ServeEventsAsync(context)
            : ServeAsync(context, events: false);

    public Task ServeEventsAsync(HttpContext context) => ServeAsync(context, events: true);

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
        return RunAsync(context, request, new HttpStreamConnection(
            context, form.Transport, chunked ? form.Chunked : form.Format, callers.Of(context.User)), chunked);
    }

    private async Task RunAsync(HttpContext context, StreamRequest request, HttpStreamConnection connection, bool chunked)
    {
        await using (var session = connections.Begin(connection))
        {
            using var aborted = context.RequestAborted.UnsafeRegister(
                static state => ((HttpStreamConnection)state!).Abort(CloseReason.Normal), connection);
            if (!await ServeAsync(context, request, connection, session))
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
    private async ValueTask<bool> ServeAsync(HttpContext context, StreamRequest request, HttpStreamConnection connection, ConsumerSession session)
    {
        try
        {
            // Joined before the headers go out: a client that sees the stream open gets all that is put from then on.
            var consumer = await session.SubscribeAsync(request.Queue, connection.ControlFormat, request.Options);
            var opening = await Dispatcher.EncodeOpeningAsync(consumer);
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
                Log.StreamFailed(logger, e, connection.Transport, request.Queue.Value);
            }

            // Not those that let a page of another origin read the answer.
            context.Response.Headers.TransferEncoding = default;
            context.Response.Headers.CacheControl = default;
            await RefusalForm.RefuseAsync(context, new Problem(ProblemType.StoreUnavailable));
            return false;
        }

        return true;
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

    private static HttpStreamForm FormOf(bool events, bool raw) => (events, raw) switch
    {
        (true, false) => new("sse", EventStream, ServerSentEventFormat.Envelopes, ChunkedFormat.Events),
        (true, true) => new("sse", EventStream, ServerSentEventFormat.Raw, ChunkedFormat.RawEvents),
        (false, false) => new("comet", Lines, LineFormat.Envelopes, ChunkedFormat.Lines),
        (false, true) => new("comet", Lines, LineFormat.Raw, ChunkedFormat.RawLines),
    };
}
