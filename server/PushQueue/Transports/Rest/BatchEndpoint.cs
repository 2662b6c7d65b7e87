using Microsoft.AspNetCore.Http;
using PushQueue.Queues;
using PushQueue.Security;
using PushQueue.Transports.Json;
using PushQueue.Transports.OpenApi;
using PushQueue.Transports.Operations;

namespace PushQueue.Transports.Rest;

/// <summary>POST /q/{queue}/batch: puts many messages, all or none.</summary>
internal sealed class BatchEndpoint(
    OperationExecutor operations, IMessageBroker broker, QueuesOptions limits, LimitHits hits, QueueTime time)
{
    private const string Names = "envelope, delay, at, ttl, priority, key, maxAttempts, retryDelay, policy, traceparent";

    public void Map(RestRoutes routes, RestHandler takeMany) =>
        routes.Map("/q/{queue}/batch", ("POST", AccessRule.Put, PutManyAsync, MessageOperations.PutMany),
            ("GET", AccessRule.Take, takeMany, MessageOperations.TakeMany));

    private async ValueTask<Problem?> PutManyAsync(HttpContext context)
    {
        if (Problem.First(
                RawPath.Queue(context, 1, out var queue),
                ReadOptions(context.Request, out var options, out var envelopes),
                MessageHeaderFields.Read(context.Request, out var headers)) is { } problem)
        {
            return problem;
        }

        if (context.Request.ContentLength > limits.BatchBytesMax)
        {
            hits.Count(LimitNames.BatchBytes);
            return RequestBody.TooLarge(ProblemType.BatchTooLarge, context.Request.ContentLength.Value, limits.BatchBytesMax);
        }

        options.Headers = headers;
        options.TraceParent = MessageTracing.Accept(context.Request.Headers.TraceParent) ?? options.TraceParent;
        RequestBody.LiftServerLimit(context);
        long bytes;
        var elements = new BatchElements(options, envelopes, broker.MessageBytesMax, limits.BatchMessagesMax, time);
        using (var reader = new BatchReader(context.Request.BodyReader, elements, limits.BatchBytesMax))
        {
            if (await reader.ReadAllAsync(IsLines(context.Request.ContentType), context.RequestAborted) is { } broken)
            {
                if (broken.Type == ProblemType.BatchTooLarge)
                {
                    hits.Count(elements.IsFull ? LimitNames.Batch : LimitNames.BatchBytes);
                }
                else if (broken.Type == ProblemType.MessageTooLarge)
                {
                    hits.Count(LimitNames.MessageBytes);
                }

                return broken;
            }

            bytes = reader.Total;
        }

        // One message, and a length where one was announced, were counted with the request.
        (context.User as Caller)?.Spend(Math.Max(0, elements.Messages.Count - 1), context.Request.ContentLength is null ? bytes : 0);

        // The last piece of the body may have been read on a thread that other connections wait for.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        var result = await operations.PutManyAsync(queue, elements.Messages);
        return result.Problem ?? await RestAnswers.JsonAsync(context, StatusCodes.Status201Created, Answer(queue, result.Value!));
    }

    private byte[] Answer(QueueName queue, IReadOnlyList<PutOutcome> outcomes)
    {
        var json = JsonBuffer.Rent();
        json.Writer.WriteStartObject();
        PutJson.WriteMany(json.Writer, queue, outcomes, operations.Durability);
        json.Writer.WriteEndObject();
        return json.Finish();
    }

    /// <summary>The form of the body according to its content type; null if that says nothing.</summary>
    private static bool? IsLines(string? contentType) =>
        contentType is not null && ContentTypes.MediaType(contentType).EndsWith("ndjson", StringComparison.OrdinalIgnoreCase) ? true : null;

    private Problem? ReadOptions(HttpRequest request, out PutOptions options, out bool envelopes)
    {
        options = default;
        envelopes = false;
        var query = new QueryOptions(request);
        while (query.Next(out var name, out var value))
        {
            if (name is "id" or "unique")
            {
                return Problem.BadOption($"The option '{name}' belongs to one message; with envelope=true each element can have its own.");
            }

            Problem? problem;
            var known = true;
            if (name is "envelope")
            {
                problem = OptionValues.Flag("envelope", value, out envelopes);
            }
            else
            {
                problem = options.Set(name, value, time, out known);
            }

            if (!known)
            {
                return OptionValues.Unknown(name, Names);
            }

            if (problem is not null)
            {
                return problem;
            }
        }

        return query.Problem;
    }
}
