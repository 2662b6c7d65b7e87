using System.Globalization;
using Microsoft.AspNetCore.Http;
using PushQueue.Queues;
using PushQueue.Transports;
using PushQueue.Transports.Rest;

namespace PushQueue.Dialects.Presque;

/// <summary>
/// Reads the requests of presque's clients: queue names in the path, options in the query string, JSON in the body, the worker in a header.
/// </summary>
internal static class PresqueRequest
{
    private const string WorkerHeader = "X-presque-workerid";

    public static JsonError? Queue(HttpContext context, out QueueName queue) =>
        RawPath.Queue(context, 0, out queue) is { } problem ? JsonError.Of(problem) : null;

    /// <summary>One option; null where it is missing or empty.</summary>
    public static JsonError? Option(HttpContext context, string name, out string? value)
    {
        var values = context.Request.Query[name];
        value = values is [{ Length: > 0 } only] ? only : null;
        return values.Count > 1 ? JsonError.BadRequest($"{name} is given more than once") : null;
    }

    /// <summary>The worker in the header, else in the query string; null where neither names one.</summary>
    public static JsonError? Worker(HttpContext context, out string? worker)
    {
        worker = context.Request.Headers[WorkerHeader] is [{ Length: > 0 } header, ..] ? HeaderText.FromUtf8(header) : null;
        return (worker is null ? Option(context, "worker_id", out worker) : null) ?? CheckText("worker_id", worker);
    }

    /// <summary>A text that is short enough to be kept; null is allowed.</summary>
    public static JsonError? CheckText(string name, string? text) =>
        text is null || OptionValues.Text(name, text, out _) is null
            ? null
            : JsonError.BadRequest($"{name} must have 1 to 255 bytes of UTF-8 without control characters");

    /// <summary>A time in epoch seconds; null where it is missing.</summary>
    public static JsonError? Delayed(HttpContext context, DateTimeOffset now, out DateTimeOffset? at)
    {
        at = null;
        if (Option(context, "delayed", out var text) is { } doubled)
        {
            return doubled;
        }

        if (text is null)
        {
            return null;
        }

        if (text.Length > 20
            || !decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds)
            || seconds > (decimal)(now + Duration.Longest).ToUnixTimeSeconds())
        {
            return JsonError.BadRequest("delayed must be a time in epoch seconds, at most ten years ahead");
        }

        at = DateTimeOffset.UnixEpoch.AddTicks((long)(seconds * TimeSpan.TicksPerSecond));
        return null;
    }

    /// <summary>
    /// The body of a put: JSON with the content type of JSON. A body that curl sends with -d claims to be a form; it is taken where it
    /// is JSON.
    /// </summary>
    public static async ValueTask<(byte[] Json, JsonError? Error)> JsonAsync(HttpContext context, int bytesMax, ProblemType tooLarge)
    {
        var contentType = context.Request.ContentType ?? "";
        var isForm = ContentTypes.IsForm(contentType);
        if (!isForm && !ContentTypes.MediaType(contentType).Equals(ContentTypes.Json, StringComparison.OrdinalIgnoreCase))
        {
            return ([], PresqueAnswers.WrongType);
        }

        var (body, problem) = await RequestBody.ReadAsync(context, bytesMax, tooLarge);
        if (problem is not null)
        {
            return ([], JsonError.Of(problem));
        }

        if (JsonBody.SkipMark(body) is var json && json.Length < body.Length)
        {
            body = json.ToArray();
        }

        if (body.Length == 0)
        {
            return ([], PresqueAnswers.JobMissing);
        }

        var whyNot = JsonBody.WhyNot(body);
        return whyNot is null ? (body, null) : ([], isForm ? PresqueAnswers.WrongType : PresqueAnswers.NotJson(whyNot));
    }
}
