using Microsoft.AspNetCore.Http;
using PushQueue.Queues;
using PushQueue.Transports;

namespace PushQueue.Dialects.Presque;

/// <summary>/q/{queue}: take one, put one, put one back, delete the queue.</summary>
internal sealed class PresqueJobs(IMessageBroker broker, QueueTime time)
{
    public async ValueTask<JsonError?> TakeAsync(HttpContext context)
    {
        if (JsonError.First(PresqueRequest.Queue(context, out var queue), PresqueRequest.Worker(context, out var worker)) is { } error)
        {
            return error;
        }

        var result = await broker.TakeAsync(
            queue,
            new TakeRequest(Worker: worker) { Pending = new HttpPendingTake(context) },
            context.RequestAborted);
        if (!result.Ok)
        {
            return PresqueAnswers.Of(result.Failure);
        }

        if (result.Value is not [var message, ..])
        {
            return PresqueAnswers.NoJob;
        }

        context.Response.Headers.ContentSecurityPolicy = ContentTypes.BodyPolicy;
        await JsonAnswers.BytesAsync(context, PresqueMessageFormat.ToJob(message));
        return null;
    }

    public async ValueTask<JsonError?> PutAsync(HttpContext context)
    {
        if (JsonError.First(
                PresqueRequest.Queue(context, out var queue),
                PresqueRequest.Option(context, "uniq", out var key),
                PresqueRequest.CheckText("uniq", key),
                PresqueRequest.Delayed(context, time.GetUtcNow(), out var delayed)) is { } error)
        {
            return error;
        }

        var (json, bodyError) = await PresqueRequest.JsonAsync(context, broker.MessageBytesMax, ProblemType.MessageTooLarge);
        if (bodyError is not null)
        {
            return bodyError;
        }

        var result = await broker.PutAsync(queue, PresqueMessageFormat.ToMessage(json, delayed, key));
        return result.Ok ? JsonAnswers.Empty(context, StatusCodes.Status201Created) : PresqueAnswers.Of(result.Failure);
    }

    public async ValueTask<JsonError?> PutBackAsync(HttpContext context)
    {
        if (JsonError.First(
                PresqueRequest.Queue(context, out var queue),
                PresqueRequest.Worker(context, out var worker),
                PresqueRequest.Delayed(context, time.GetUtcNow(), out var delayed)) is { } error)
        {
            return error;
        }

        var (json, bodyError) = await PresqueRequest.JsonAsync(context, broker.MessageBytesMax, ProblemType.MessageTooLarge);
        if (bodyError is not null)
        {
            return bodyError;
        }

        var result = await broker.PutBackAsync(queue, PresqueMessageFormat.ToMessage(json, delayed), worker);
        return result.Ok ? JsonAnswers.Empty(context, StatusCodes.Status201Created) : PresqueAnswers.Of(result.Failure);
    }

    public async ValueTask<JsonError?> DeleteAsync(HttpContext context)
    {
        if (PresqueRequest.Queue(context, out var queue) is { } error)
        {
            return error;
        }

        var result = await broker.DeleteQueueAsync(queue);
        return result.Ok ? JsonAnswers.Empty(context, StatusCodes.Status204NoContent) : PresqueAnswers.Of(result.Failure);
    }
}
