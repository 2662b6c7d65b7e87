using System.Globalization;
using Microsoft.AspNetCore.Http;
using PushQueue.Queues;
using PushQueue.Security;
using PushQueue.Transports.Json;
using PushQueue.Transports.OpenApi;
using PushQueue.Transports.Operations;

namespace PushQueue.Transports.Rest;

/// <summary>POST /q/{queue}: puts one message. hot path: guarded by the load bench.</summary>
internal sealed class PutEndpoint(
    OperationExecutor operations, IMessageBroker broker, AccessControl access, LimitHits hits, QueueTime time)
{
    /// <summary>Of the path <c>/q/{queue}</c>.</summary>
    private const int OwnSegments = 2;

    public void Map(RestRoutes routes, RestHandler take, RestHandler delete) =>
        routes.MapShort("/q/{queue}", ("POST", AccessRule.Put, PutAsync, MessageOperations.Put),
            ("GET", AccessRule.Take, take, MessageOperations.Take), ("DELETE", AccessRule.Manage, delete, QueueOperations.DeleteQueue));

    private async ValueTask<Problem?> PutAsync(HttpContext context)
    {
        if (Problem.First(
                RawPath.Queue(context, 0, out var queue),
                ReadOptions(context.Request, out var options, out var wait),
                ContentTypes.Check(context.Request.ContentType, out var contentType)) is { } problem)
        {
            return problem;
        }

        if (context.Request.Headers.ContentEncoding is [_, ..] encoding
            && !string.Equals(encoding, "identity", StringComparison.OrdinalIgnoreCase))
        {
            return new Problem(
                ProblemType.Unsupported,
                "A body with a Content-Encoding is refused, because the consumer could not detect the encoding; send the body without it, "
                    + "or name it in the Content-Type.");
        }

        (ReadOnlyMemory<byte> body, var bodyProblem) = await RequestBody.ReadAsync(
            context, BodyBytesMax(contentType), ProblemType.MessageTooLarge);
        if (bodyProblem is not null)
        {
            if (bodyProblem.Type == ProblemType.MessageTooLarge)
            {
                hits.Count(LimitNames.MessageBytes);
            }

            return bodyProblem;
        }

        if (ContentTypes.IsForm(contentType))
        {
            (body, contentType) = FormBody.Read(body);
        }

        var message = options.ToMessage(body, contentType);

        // A header that a library sends with the request is newer than a value in its URL.
        message.TraceParent = MessageTracing.Accept(context.Request.Headers.TraceParent) ?? message.TraceParent;
        var result = await operations.PutAsync(queue, message, wait, access.CallerOf(context), context.RequestAborted);
        if (result.Stored)
        {
            context.Response.Headers.Location = Location(context, queue, result.Put.Put.Id);
        }

        return result.Problem ?? await RestAnswers.JsonAsync(context, StatusOf(result), Answer(queue, result));
    }

    /// <summary>
    /// A put that waited: 200 where the message was acked, 202 where that takes longer. Else 201, and 200 for a duplicate.
    /// </summary>
    private static int StatusOf(in PutResult result) => result.Waited
        ? result.Put is { End: null, Gone: false } ? StatusCodes.Status202Accepted : StatusCodes.Status200OK
        : result.Put.Put.Duplicate ? StatusCodes.Status200OK : StatusCodes.Status201Created;

    private Problem? ReadOptions(HttpRequest request, out PutOptions options, out TimeSpan? wait)
    {
        var query = new QueryOptions(request);
        if (PutOptions.Read(ref query, PutOptions.NamesOfOne, time, out options, out wait) is { } problem)
        {
            return problem;
        }

        var wrong = MessageHeaderFields.Read(request, out var headers);
        options.Headers = headers;
        return wrong;
    }

    /// <summary>A form may be three times its field, for every byte of it may be percent-encoded; the broker checks what is left.</summary>
    private int BodyBytesMax(string contentType) =>
        ContentTypes.IsForm(contentType) ? (int)Math.Min((3L * broker.MessageBytesMax) + 1024, int.MaxValue) : broker.MessageBytesMax;

    private static string Location(HttpContext context, QueueName queue, MessageId id)
    {
        var prefix = RawPath.Prefix(context, OwnSegments);
        return id.IsNumber
            ? string.Create(CultureInfo.InvariantCulture, $"{prefix}/q/{Uri.EscapeDataString(queue.Value)}/messages/{id.Number}")
            : $"{prefix}/q/{Uri.EscapeDataString(queue.Value)}/messages/{Uri.EscapeDataString(id.ToString())}";
    }

    private byte[] Answer(QueueName queue, in PutResult result)
    {
        var json = JsonBuffer.Rent();
        json.Writer.WriteStartObject();
        PutJson.Write(json.Writer, queue, result, operations.Durability);
        json.Writer.WriteEndObject();
        return json.Finish();
    }
}
