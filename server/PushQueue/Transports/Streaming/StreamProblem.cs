using Microsoft.AspNetCore.Http;
using PushQueue.Delivery.Encoding;
using PushQueue.Queues;

namespace PushQueue.Transports.Streaming;

/// <summary>The refusal of a stream, before it began, as problem details.</summary>
internal static class StreamProblem
{
    public static Task WriteAsync(HttpContext context, QueueError error, string? detail) => error switch
    {
        QueueError.BadQueueName => WriteAsync(context, StatusCodes.Status400BadRequest, "bad-queue-name", detail),
        QueueError.ShuttingDown => WriteAsync(context, StatusCodes.Status503ServiceUnavailable, "shutting-down", detail),
        QueueError.StoreUnavailable => WriteAsync(context, StatusCodes.Status503ServiceUnavailable, "store-unavailable", detail),
        _ => WriteAsync(context, StatusCodes.Status400BadRequest, "bad-option", detail),
    };

    public static async Task WriteAsync(HttpContext context, int status, string type, string? detail)
    {
        var writer = PageWriter.Rent();
        writer.Write("{\"type\":"u8);
        writer.WriteJsonString(type);
        writer.Write(",\"status\":"u8);
        writer.WriteNumber(status);
        writer.Write(",\"detail\":"u8);
        writer.WriteJsonString(detail ?? string.Empty);
        writer.Write((byte)'}');
        var body = writer.ToArray();
        writer.Return();

        context.Response.StatusCode = status;
        if (status == StatusCodes.Status503ServiceUnavailable)
        {
            context.Response.Headers.RetryAfter = "1";
        }

        context.Response.ContentType = "application/problem+json";
        context.Response.ContentLength = body.Length;
        await context.Response.Body.WriteAsync(body, context.RequestAborted);
    }
}
