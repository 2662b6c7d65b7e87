using System.Globalization;
using Microsoft.AspNetCore.Http;
using PushQueue.Queues;
using PushQueue.Security;

namespace PushQueue.Transports.Rest;

/// <summary>POST /q/{queue}: puts one message. hot path: guarded by the load bench.</summary>
internal sealed class PutEndpoint(IMessageBroker broker, AccessControl access, WaitingRights waiting, LimitHits hits, TimeProvider time)
{
    /// <summary>Of the path <c>/q/{queue}</c>.</summary>
    private const int OwnSegments = 2;

    private readonly string _durability = broker.Durability.ToString();

    public void Map(RestRoutes routes, RestHandler take, RestHandler delete) =>
        routes.MapShort("/q/{queue}", ("POST", AccessRule.Put, PutAsync), ("GET", AccessRule.Take, take), ("DELETE", AccessRule.Manage, delete));

    private async ValueTask<Problem?> PutAsync(HttpContext context)
    {
        if (Problem.First(
                RawPath.Queue(context, 0, out var queue),
                ReadOptions(context.Request, out var options, out var wait),
                ContentTypes.Check(context.Request.ContentType, out var contentType)) is { } problem)
        {
            return problem;
        }

        if (context.Request.Headers.ContentEncoding is [_, ..] encoding && !string.Equals(encoding, "identity", StringComparison.OrdinalIgnoreCase))
        {
            return new Problem(ProblemType.Unsupported, "A body with a Content-Encoding is not taken, because who takes the message could not tell; send it as it is, or with a Content-Type that says what it is.");
        }

        (ReadOnlyMemory<byte> body, var bodyProblem) = await RequestBody.ReadAsync(context, BodyBytesMax(contentType), ProblemType.MessageTooLarge);
        if (bodyProblem is not null)
        {
            if (bodyProblem.Type == ProblemType.MessageTooLarge)
            {
                hits.Count(LimitHits.MessageBytes);
            }

            return bodyProblem;
        }

        if (ContentTypes.IsForm(contentType))
        {
            (body, contentType) = FormBody.Read(body);
        }

        var message = options.ToMessage(body, contentType);

        // What a library sends with the request is newer than what stands in its URL.
        message.TraceParent = MessageTracing.Accept(context.Request.Headers.TraceParent) ?? message.TraceParent;
        if (wait is { } patience)
        {
            return await PutAndWaitAsync(context, queue, message, patience);
        }

        var result = await broker.PutAsync(queue, message);
        if (!result.Ok)
        {
            return ProblemDetailsMapper.ToProblem(result);
        }

        var status = result.Value.Duplicate ? StatusCodes.Status200OK : StatusCodes.Status201Created;
        context.Response.Headers.Location = Location(context, queue, result.Value.Id);
        return await RestAnswers.JsonAsync(context, status, Answer(queue, result.Value));
    }

    /// <summary>200 where it was acked, 202 where that takes longer, a problem where it ended otherwise.</summary>
    private async ValueTask<Problem?> PutAndWaitAsync(HttpContext context, QueueName queue, NewMessage message, TimeSpan wait)
    {
        // The put stands, but its end is told only to a caller that still has the right.
        using var right = waiting.Begin(access.CallerOf(context.User), Permissions.Put, queue, context.RequestAborted);
        BrokerResult<AwaitedPut> result;
        try
        {
            result = await broker.PutAndWaitAsync(queue, message, wait, right?.Token ?? context.RequestAborted);
        }
        catch (OperationCanceledException) when (right is { IsLost: true })
        {
            return right.WhyLost();
        }

        if (!result.Ok)
        {
            return ProblemDetailsMapper.ToProblem(result);
        }

        context.Response.Headers.Location = Location(context, queue, result.Value.Put.Id);
        if (PutJson.WhyNotAcked(queue, result.Value) is { } problem)
        {
            return problem;
        }

        var json = JsonBuffer.Rent();
        json.Writer.WriteStartObject();
        PutJson.Write(json.Writer, queue, result.Value, _durability);
        json.Writer.WriteEndObject();
        return await RestAnswers.JsonAsync(
            context, result.Value is { End: null, Gone: false } ? StatusCodes.Status202Accepted : StatusCodes.Status200OK, json.Finish());
    }

    private Problem? ReadOptions(HttpRequest request, out PutOptions options, out TimeSpan? wait)
    {
        options = default;
        wait = null;
        var query = new QueryOptions(request);
        while (query.Next(out var name, out var value))
        {
            var problem = name is "waitForAck"
                ? OptionValues.WaitForAck(value, out wait, out var known)
                : options.Set(name, value, time, out known);
            if (!known)
            {
                return OptionValues.Unknown(name, PutOptions.Names + ", waitForAck");
            }

            if (problem is not null)
            {
                return problem;
            }
        }

        return query.Problem;
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

    private byte[] Answer(QueueName queue, PutOutcome outcome)
    {
        var json = JsonBuffer.Rent();
        json.Writer.WriteStartObject();
        PutJson.Write(json.Writer, queue, outcome, _durability);
        json.Writer.WriteEndObject();
        return json.Finish();
    }
}
