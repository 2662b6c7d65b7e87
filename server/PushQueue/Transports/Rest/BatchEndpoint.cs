using Microsoft.AspNetCore.Http;
using PushQueue.Queues;

namespace PushQueue.Transports.Rest;

/// <summary>POST /q/{queue}/batch: puts many messages, all or none.</summary>
internal sealed class BatchEndpoint(IMessageBroker broker, QueuesOptions limits, TimeProvider time)
{
    private const string Names = "envelope, delay, at, ttl, priority, maxAttempts, retryDelay";

    private readonly string _durability = broker.Durability.ToString();

    public void Map(RestRoutes routes, RestHandler takeMany) =>
        routes.Map("/q/{queue}/batch", ("POST", PutManyAsync), ("GET", takeMany));

    private async ValueTask<Problem?> PutManyAsync(HttpContext context)
    {
        if (Problem.First(
                RawPath.Queue(context, 1, out var queue),
                ReadOptions(context.Request, out var options, out var envelopes)) is { } problem)
        {
            return problem;
        }

        if (context.Request.ContentLength > limits.BatchBytesMax)
        {
            return RequestBody.TooLarge(ProblemType.BatchTooLarge, context.Request.ContentLength.Value, limits.BatchBytesMax);
        }

        RequestBody.LiftServerLimit(context);
        var elements = new BatchElements(options, envelopes, broker.MessageBytesMax, time);
        using (var reader = new BatchReader(context.Request.BodyReader, elements, limits.BatchBytesMax))
        {
            if (await reader.ReadAllAsync(IsLines(context.Request.ContentType), context.RequestAborted) is { } broken)
            {
                return broken;
            }
        }

        var result = await broker.PutManyAsync(queue, elements.Messages);
        return result.Ok
            ? await RestAnswers.JsonAsync(context, StatusCodes.Status201Created, Answer(queue, result.Value))
            : ProblemDetailsMapper.ToProblem(result);
    }

    private byte[] Answer(QueueName queue, IReadOnlyList<PutOutcome> outcomes)
    {
        var json = JsonBuffer.Rent();
        json.Writer.WriteStartObject();
        PutJson.WriteMany(json.Writer, queue, outcomes, _durability);
        json.Writer.WriteEndObject();
        return json.Finish();
    }

    /// <summary>What the content type says about the form of the body; null where it says nothing.</summary>
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
