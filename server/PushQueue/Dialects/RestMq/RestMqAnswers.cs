using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Microsoft.AspNetCore.Http;
using PushQueue.Delivery.Encoding;
using PushQueue.Queues;
using PushQueue.Transports.Json;
using PushQueue.Transports;

namespace PushQueue.Dialects.RestMq;

/// <summary>RestMQ's answers: their content types, and the line end that all of them have.</summary>
internal static class RestMqAnswers
{
    // Nothing of what the pages show may run, and no other page may frame them.
    private const string PagePolicy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private static readonly byte[] LineEnd = "\r\n"u8.ToArray();

    /// <summary>A refusal: the status and one sentence.</summary>
    public static Task RefuseAsync(HttpContext context, int status, string sentence)
    {
        RestAnswers.SayWhenToRetry(context, status);
        return TextAsync(context, status, sentence);
    }

    public static Task RefuseAsync(HttpContext context, Problem problem) => RefuseAsync(context, problem.Type.Status, problem.Sentence);

    public static Task TextAsync(HttpContext context, int status, string text) =>
        BytesAsync(context, status, "text/plain", Encoding.UTF8.GetBytes(text));

    public static Task PageAsync(HttpContext context, string html)
    {
        context.Response.Headers.ContentSecurityPolicy = PagePolicy;
        return BytesAsync(context, StatusCodes.Status200OK, "text/html", Encoding.UTF8.GetBytes(html));
    }

    public static Task XmlAsync(HttpContext context, byte[] xml) => BytesAsync(context, StatusCodes.Status200OK, "text/xml", xml);

    /// <summary>JSON, wrapped in a call where the client gave the name of a function.</summary>
    public static Task JsonAsync(
        HttpContext context, RestMqCallback callback, Action<Utf8JsonWriter> write, int status = StatusCodes.Status200OK)
    {
        var json = JsonBuffer.Rent();
        write(json.Writer);
        return callback.Name is null
            ? BytesAsync(context, status, RestAnswers.JsonType, json.Finish())
            : BytesAsync(context, status, "application/javascript", callback.Wrap(json.Finish()));
    }

    public static string Key(Message message) => Key(message.Queue, message.Id);

    public static string Key(QueueName queue, MessageId id) => $"{queue.Value}:{id}";

    /// <summary>Text as it is, whatever else as base64.</summary>
    public static string Value(Message message) =>
        BodyKinds.Of(message) == BodyKind.Binary && !(BodyKinds.IsJsonType(message.ContentType) && Utf8.IsValid(message.Body.Span))
            ? Convert.ToBase64String(message.Body.Span)
            : Encoding.UTF8.GetString(message.Body.Span);

    private static Task BytesAsync(HttpContext context, int status, string contentType, byte[] body) =>
        RestAnswers.BytesAsync(context, status, contentType, (byte[])[.. body, .. LineEnd]).AsTask();
}
