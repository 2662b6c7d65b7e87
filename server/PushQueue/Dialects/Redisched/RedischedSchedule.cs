using Microsoft.AspNetCore.Http;
using PushQueue.Queues;

namespace PushQueue.Dialects.Redisched;

/// <summary>/schedule/{topic} and /cancel/{topic}.</summary>
internal sealed class RedischedSchedule(IMessageBroker broker, QueueTime time)
{
    public async ValueTask<JsonError?> ScheduleAsync(HttpContext context, RedischedRequest request)
    {
        var error = JsonError.First(
            request.Id(out var id), request.Body("contents", out var body, out var contentType), request.Number("delay", out var delay));
        if (error is not null)
        {
            return error;
        }

        if (delay is not { } seconds || seconds < 0 || seconds > (decimal)Duration.Longest.TotalSeconds)
        {
            return JsonError.BadRequest("The field 'delay' must be a number of seconds from now: 0 or more, at most ten years.");
        }

        var at = time.GetUtcNow().AddTicks((long)(seconds * TimeSpan.TicksPerSecond));
        var result = await broker.PutAsync(request.Topic, RedischedJobs.NewJob(id, body, contentType, at));
        return result.Ok ? await RedischedAnswers.SuccessAsync(context, !result.Value.Duplicate) : JsonError.Of(result.Failure);
    }

    public async ValueTask<JsonError?> CancelAsync(HttpContext context, RedischedRequest request)
    {
        if (request.Id(out var id) is { } wrong)
        {
            return wrong;
        }

        var result = await broker.CancelAsync(request.Topic, id);
        return result.Ok ? await RedischedAnswers.SuccessAsync(context, result.Value) : JsonError.Of(result.Failure);
    }
}
