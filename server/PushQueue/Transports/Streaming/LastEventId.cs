using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using PushQueue.Delivery.Encoding;
using PushQueue.Transports.Framing;

namespace PushQueue.Transports.Streaming;

/// <summary>
/// Where a client that connects again says it was. The header is what an EventSource sends by itself, so it is newer than what a page wrote
/// into the URL. Polyfills that cannot set headers use the query, each by a name of its own, and may repeat it.
/// </summary>
internal static class LastEventId
{
    private const StringSplitOptions Splitting = StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries;

    private const string Header = "Last-Event-ID";

    private static readonly string[] Parameters = ["lastEventId", "last_event_id", "evs_last_event_id"];

    public static bool IsParameter(string name) => Parameters.Contains(name, StringComparer.Ordinal);

    /// <summary>
    /// Answers a client that connects again although it was told to stop, as an EventSource always does. The status 204 ends it.
    /// </summary>
    /// <returns>False for every other request.</returns>
    public static bool EndsIfStopped(HttpContext context)
    {
        if (Of(context.Request) != ServerSentEventFormat.StopId)
        {
            return false;
        }

        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return true;
    }

    /// <summary>Null where the request does not say.</summary>
    public static string? Of(HttpRequest request) =>
        Latest(request.Headers[Header])
        ?? Latest(Parameters.Aggregate(StringValues.Empty, (values, name) => StringValues.Concat(values, request.Query[name])));

    /// <summary>
    /// Of several, also in one header with commas between them, as a page and its polyfill may each add one: the one that is furthest on,
    /// or the last where they cannot be compared.
    /// </summary>
    private static string? Latest(StringValues values)
    {
        string? latest = null;
        foreach (var value in values.SelectMany(static value => (value ?? "").Split(',', Splitting)))
        {
            latest = latest is not null && IsBehind(value, latest) ? latest : value;
        }

        return latest;
    }

    private static bool IsBehind(string value, string other) =>
        Cursor.TryParse(value, out var one) && Cursor.TryParse(other, out var two) && one.Epoch == two.Epoch && one.Offset < two.Offset;
}
