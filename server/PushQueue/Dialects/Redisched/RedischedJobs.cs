using System.Globalization;
using Microsoft.AspNetCore.Http;
using PushQueue.Queues;
using PushQueue.Transports;

namespace PushQueue.Dialects.Redisched;

/// <summary>/t/{topic}: jobs come in, are looked at and are deleted by their clients' ids.</summary>
internal sealed class RedischedJobs(IMessageBroker broker, QueueTime time)
{
    public async ValueTask<JsonError?> PutAsync(HttpContext context, RedischedRequest request)
    {
        var error = JsonError.First(
            request.Id(out var id),
                request.Body("body", out var body, out var contentType),
                request.Time("expiration", out var expiration, out _));
        if (error is not null)
        {
            return error;
        }

        if (expiration is not { } at)
        {
            return JsonError.BadRequest(
                $"The field 'expiration' is missing; give the time from which the job is available: {RedischedTime.Form}.");
        }

        var result = await broker.PutAsync(request.Topic, NewJob(id, body, contentType, at));
        return result.Ok ? await RedischedAnswers.ResultAsync(context, result.Value.Duplicate ? 0 : 1) : JsonError.Of(result.Failure);
    }

    public async ValueTask<JsonError?> DeleteAsync(HttpContext context, RedischedRequest request)
    {
        if (request.Id(out var id) is { } wrong)
        {
            return wrong;
        }

        var result = await broker.CancelAsync(request.Topic, id);
        return result.Ok ? await RedischedAnswers.ResultAsync(context, result.Value ? 1 : 0) : JsonError.Of(result.Failure);
    }

    public async ValueTask<JsonError?> ShowAsync(HttpContext context)
    {
        if (Problem.First(RawPath.Queue(context, 2, out var topic), RawPath.Message(context, 0, out var id)) is { } problem)
        {
            return JsonError.Of(problem);
        }

        return await broker.FindAsync(topic, id) is not { } job
            ? RedischedAnswers.NoSuchJob
            : await JsonAnswers.JsonAsync(context, job, static (writer, job) =>
            {
                writer.WriteStartObject();
                RedischedAnswers.WriteIdAndBody(writer, job, "body"u8);
                RedischedTime.Write(writer, "expiration"u8, job.AvailableAt);
                writer.WriteString("state"u8, job.State == MessageState.Leased ? "reserved"u8 : "queued"u8);
                writer.WriteEndObject();
            });
    }

    public async ValueTask<JsonError?> CountReadyAsync(HttpContext context)
    {
        if (RawPath.Queue(context, 1, out var topic) is { } problem)
        {
            return JsonError.Of(problem);
        }

        var max = time.GetUtcNow();
        if (context.Request.Query["max"] is [{ Length: > 0 } text, ..]
            && !(text.Length <= 32
                && decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var given)
                && RedischedTime.TryRead(given, out max, out _)))
        {
            return JsonError.BadRequest($"The option 'max' must be a time: {RedischedTime.Form}.");
        }

        return await RedischedAnswers.ResultAsync(context, await broker.CountDueAsync(topic, max));
    }

    /// <summary>
    /// A job keeps its client's time, though it be past, and comes back as often as it takes: only its client deletes it.
    /// </summary>
    public static NewMessage NewJob(MessageId id, byte[] body, string contentType, DateTimeOffset at) => new()
    {
        Id = id,
        Body = body,
        ContentType = contentType,
        AvailableAt = at,
        KeepsPastTime = true,
        MaxAttempts = int.MaxValue,
    };
}
