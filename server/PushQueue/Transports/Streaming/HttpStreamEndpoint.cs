using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using PushQueue.Delivery;
using PushQueue.Delivery.Encoding;
using PushQueue.Queues;

namespace PushQueue.Transports.Streaming;

/// <summary>Serves comet (<c>GET /c/{queue}</c>) and server-sent events (<c>GET /sse/{queue}</c>).</summary>
internal sealed class HttpStreamEndpoint(
    Dispatcher dispatcher,
    ConsumerRegistry registry,
    CoarseClock clock,
    IOptions<DeliveryOptions> options,
    ILogger<HttpStreamEndpoint> logger)
{
    private const string EventStream = "text/event-stream";

    public Task ServeCometAsync(HttpContext context) =>
        context.Request.Headers.Accept.ToString().Contains(EventStream, StringComparison.OrdinalIgnoreCase)
            ? ServeEventsAsync(context)
            : ServeAsync(context, events: false);

    public Task ServeEventsAsync(HttpContext context) => ServeAsync(context, events: true);

    private async Task ServeAsync(HttpContext context, bool events)
    {
        if (dispatcher.IsDraining)
        {
            await StreamProblem.WriteAsync(context, QueueError.ShuttingDown, CloseReason.ServerShutdown.Sentence);
            return;
        }

        if (StreamRequest.Read(context, out var error, out var detail) is not { } request)
        {
            await StreamProblem.WriteAsync(context, error, detail);
            return;
        }

        // Only HTTP/1.1 has chunks; over HTTP/2 and HTTP/1.0 the server frames the body.
        var chunked = HttpProtocol.IsHttp11(context.Request.Protocol);
        PrepareResponse(context, events, chunked);
        await RunAsync(context, request, new HttpStreamConnection(
            context,
            events ? "sse" : "comet",
            FormatOf(events, request.Options.Raw, chunked)), chunked);
    }

    private async Task RunAsync(HttpContext context, StreamRequest request, HttpStreamConnection connection, bool chunked)
    {
        var buffer = new OutboundBuffer(connection, clock, options.Value);
        registry.Add(buffer);
        using var aborted = context.RequestAborted.UnsafeRegister(
            static state => ((HttpStreamConnection)state!).Abort(CloseReason.Normal), connection);
        try
        {
            // Joined before the headers go out: whoever sees the stream open gets all that is put from then on.
            _ = await dispatcher.SubscribeAsync(request.Queue, buffer, connection.ControlFormat, request.Options);
            await context.Response.StartAsync(context.RequestAborted);
            await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
            buffer.Open();
            await connection.Ended;
        }
        catch (OperationCanceledException)
        {
            // The client went while its stream was being opened.
            await buffer.EndUnopenedAsync();
        }
        catch (Exception e) when (!context.Response.HasStarted)
        {
            Log.StreamFailed(logger, e, connection.Transport, request.Queue.Value);
            await buffer.EndUnopenedAsync();
            context.Response.Headers.Clear();
            await StreamProblem.WriteAsync(context, QueueError.StoreUnavailable, CloseReason.ServerError.Sentence);
            return;
        }
        finally
        {
            await dispatcher.EndAsync(buffer);
        }

        if (chunked && !connection.Aborted)
        {
            await connection.WriteAsync(ChunkedFormat.LastChunk);
        }
    }

    private static void PrepareResponse(HttpContext context, bool events, bool chunked)
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
        response.ContentType = events ? EventStream : "application/x-ndjson";
        response.Headers.CacheControl = "no-cache";
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers.ContentSecurityPolicy = ContentTypes.BodyPolicy;
        response.Headers["X-Accel-Buffering"] = "no";
        if (chunked)
        {
            // Said by us, so that the server leaves the body as it is: pages are chunks already, and the same bytes serve all.
            response.Headers.TransferEncoding = "chunked";
        }
    }

    private static MessageFormat FormatOf(bool events, bool raw, bool chunked) => (events, raw, chunked) switch
    {
        (true, false, true) => ChunkedFormat.Events,
        (true, true, true) => ChunkedFormat.RawEvents,
        (true, false, false) => ServerSentEventFormat.Envelopes,
        (true, true, false) => ServerSentEventFormat.Raw,
        (false, false, true) => ChunkedFormat.Lines,
        (false, true, true) => ChunkedFormat.RawLines,
        (false, false, false) => LineFormat.Envelopes,
        (false, true, false) => LineFormat.Raw,
    };
}
