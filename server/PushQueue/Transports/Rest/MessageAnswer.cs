using System.Globalization;
using Microsoft.AspNetCore.Http;
using PushQueue.Queues;
using PushQueue.Transports.Json;

namespace PushQueue.Transports.Rest;

/// <summary>One message as an answer: its body as it was put, what else there is to know in headers.</summary>
internal static class MessageAnswer
{
    public static async ValueTask<Problem?> WriteAsync(HttpContext context, Message message)
    {
        var headers = context.Response.Headers;
        headers["PushQueue-Id"] = PercentCoding.EncodeHeader(message.Id.ToString());
        headers["PushQueue-Attempt"] = message.Attempt.ToString(CultureInfo.InvariantCulture);
        headers["PushQueue-Enqueued-At"] = TimeConverter.Format(message.EnqueuedAt);
        if (message.Priority != 0)
        {
            headers["PushQueue-Priority"] = message.Priority.ToString(CultureInfo.InvariantCulture);
        }

        if (message.Key is { } key)
        {
            headers["PushQueue-Key"] = PercentCoding.EncodeHeader(key);
        }

        MessageHeaderFields.Write(headers, message.Headers);
        if (message.TraceParent is { } traceParent)
        {
            headers.TraceParent = traceParent;
        }

        headers.ContentSecurityPolicy = ContentTypes.BodyPolicy;
        var contentType = ContentTypes.CanBeHeader(message.ContentType) ? message.ContentType : ContentTypes.Binary;
        await RestAnswers.BytesAsync(context, StatusCodes.Status200OK, contentType, message.Body);
        return null;
    }
}
