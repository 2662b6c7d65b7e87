using System.Globalization;
using Microsoft.AspNetCore.Http;
using PushQueue.Delivery.Encoding;
using PushQueue.Transports.Framing;

namespace PushQueue.Transports;

/// <summary>
/// Refuses an event stream for now. An EventSource gives up for good at any status but 200, also where the server only restarts. So it gets
/// a stream that says why, when to come back, and ends.
/// </summary>
internal static class EventStreamRefusal
{
    private const string EventStream = "text/event-stream";

    // Spread, so that all that were refused at once do not come back at once.
    private const int WaitMsMin = 2000;
    private const int WaitMsMax = 5000;

    /// <summary>Whether the request is an EventSource's, or one of a client that reads as it does, and the refusal passes.</summary>
    public static bool Fits(HttpRequest request, Problem problem) =>
        problem.Type.Status is StatusCodes.Status429TooManyRequests or StatusCodes.Status503ServiceUnavailable
        && HttpMethods.IsGet(request.Method)
        && request.Headers.Accept.ToString().Contains(EventStream, StringComparison.OrdinalIgnoreCase);

    public static async Task AnswerAsync(HttpContext context, Problem problem)
    {
        var response = context.Response;
        var page = Encode(problem, WaitMs(response));
        response.StatusCode = StatusCodes.Status200OK;
        response.ContentType = EventStream;
        response.ContentLength = page.Length;
        response.Headers.CacheControl = "no-store, no-transform";
        response.Headers.RetryAfter = default;
        _ = await response.BodyWriter.WriteAsync(page.Bytes, context.RequestAborted);
    }

    private static EncodedPage Encode(Problem problem, int waitMs)
    {
        var json = PageWriter.Rent();
        Envelope.WriteClose(json, queue: null, new CloseReason(problem.Type.Name, problem.Sentence, Reconnect: true), waitMs);
        var writer = PageWriter.Rent();
        ServerSentEventFormat.Envelopes.WriteClose(writer, json.From(0), waitMs);
        json.Return();
        var page = new EncodedPage(writer.ToArray());
        writer.Return();
        return page;
    }

    /// <summary>Not before the time that <c>Retry-After</c> names, where the refusal has set it.</summary>
    private static int WaitMs(HttpResponse response) =>
        Random.Shared.Next(WaitMsMin, WaitMsMax)
        + (int.TryParse(response.Headers.RetryAfter, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            ? Math.Min(seconds, 3600) * 1000
            : 0);
}
