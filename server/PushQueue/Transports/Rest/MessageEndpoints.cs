using Microsoft.AspNetCore.Http;
using PushQueue.Queues;
using PushQueue.Security;
using PushQueue.Transports.Json;
using PushQueue.Transports.OpenApi;
using PushQueue.Transports.Operations;

namespace PushQueue.Transports.Rest;

/// <summary>Messages where they rest: browse, look at one, cancel, reschedule, replay dead letters.</summary>
internal sealed class MessageEndpoints(OperationExecutor operations, IMessageBroker broker, QueueTime time)
{
    private const int PageDefault = 100;
    private const int PageMax = 1000;
    private const int PreviewBytesMax = 16 * 1024;

    public void Map(RestRoutes routes)
    {
        routes.Map("/q/{queue}/messages", ("GET", AccessRule.Look, BrowseAsync, MessageOperations.Browse));
        routes.Map("/q/{queue}/messages/{id}", ("GET", AccessRule.Look, FindAsync, MessageOperations.Find),
            ("DELETE", AccessRule.Cancel, CancelAsync, MessageOperations.Cancel));
        routes.Map("/q/{queue}/messages/{id}/body", ("GET", AccessRule.Look, BodyAsync, MessageOperations.FindBody));
        routes.Map("/q/{queue}/messages/{id}/reschedule", ("POST", AccessRule.Cancel, RescheduleAsync, MessageOperations.Reschedule));
        routes.Map("/q/{queue}/replay", ("POST", AccessRule.Manage, ReplayAsync, MessageOperations.Replay));
    }

    private async ValueTask<Problem?> BrowseAsync(HttpContext context)
    {
        if (Problem.First(
                RawPath.Queue(context, 1, out var queue),
                ReadBrowse(context.Request, out var state, out var after, out var limit, out var preview)) is { } problem)
        {
            return problem;
        }

        var result = await operations.BrowseAsync(queue, state, after, limit);
        if (!result.Ok)
        {
            return ProblemDetailsMapper.ToProblem(result);
        }

        var info = await broker.GetQueueAsync(queue);
        var json = JsonBuffer.Rent();
        json.Writer.WriteStartObject();
        json.Writer.WriteString("queue"u8, queue.Value);
        json.Writer.WriteStartArray("messages"u8);
        foreach (var message in result.Value.Messages)
        {
            MessageJson.WriteLook(json.Writer, message, state, preview);
        }

        json.Writer.WriteEndArray();
        json.Writer.WriteString("next"u8, result.Value.Next);
        json.Writer.WriteStartObject("counts"u8);
        json.Writer.WriteNumber("ready"u8, info?.Ready ?? 0);
        json.Writer.WriteNumber("delayed"u8, info?.Delayed ?? 0);
        json.Writer.WriteNumber("leased"u8, info?.Leased ?? 0);
        json.Writer.WriteNumber("history"u8, info?.History ?? 0);
        json.Writer.WriteEndObject();
        json.Writer.WriteEndObject();
        return await RestAnswers.JsonAsync(context, StatusCodes.Status200OK, json.Finish());
    }

    private async ValueTask<Problem?> FindAsync(HttpContext context)
    {
        if (Problem.First(
                RawPath.Queue(context, 2, out var queue),
                RawPath.Message(context, 0, out var id),
                QueryOptions.None(context.Request)) is { } problem)
        {
            return problem;
        }

        var found = await operations.FindAsync(queue, id);
        if (found.Problem is { } missing)
        {
            return missing;
        }

        var json = JsonBuffer.Rent();
        MessageJson.WriteLook(json.Writer, found.Value!);
        return await RestAnswers.JsonAsync(context, StatusCodes.Status200OK, json.Finish());
    }

    private async ValueTask<Problem?> BodyAsync(HttpContext context)
    {
        if (Problem.First(
                RawPath.Queue(context, 3, out var queue),
                RawPath.Message(context, 1, out var id),
                QueryOptions.None(context.Request)) is { } problem)
        {
            return problem;
        }

        var found = await operations.FindAsync(queue, id);
        return found.Problem ?? await MessageAnswer.WriteAsync(context, found.Value!);
    }

    private async ValueTask<Problem?> CancelAsync(HttpContext context)
    {
        if (Problem.First(
                RawPath.Queue(context, 2, out var queue),
                RawPath.Message(context, 0, out var id),
                QueryOptions.None(context.Request)) is { } problem)
        {
            return problem;
        }

        return await operations.CancelAsync(queue, id) ?? RestAnswers.NoContent(context);
    }

    private async ValueTask<Problem?> RescheduleAsync(HttpContext context)
    {
        if (Problem.First(
                RawPath.Queue(context, 3, out var queue),
                RawPath.Message(context, 1, out var id),
                ReadReschedule(context.Request, out var at)) is { } problem)
        {
            return problem;
        }

        return await operations.RescheduleAsync(queue, id, at) ?? RestAnswers.NoContent(context);
    }

    private async ValueTask<Problem?> ReplayAsync(HttpContext context)
    {
        if (Problem.First(RawPath.Queue(context, 1, out var queue), ReadReplay(context.Request, out var request)) is { } problem)
        {
            return problem;
        }

        if (!queue.IsDeadLetter)
        {
            return Problem.NotFound("Only a dead-letter queue can be replayed; its name ends in '.dead'.");
        }

        var result = await broker.ReplayAsync(queue, request, context.RequestAborted);
        if (!result.Ok)
        {
            return ProblemDetailsMapper.ToProblem(result);
        }

        var replayed = new ReplayedContract(queue.Source.Value, result.Value.Replayed, result.Value.More);
        return await RestAnswers.ContractAsync(context, replayed, ContractContext.Default.ReplayedContract);
    }

    private static Problem? ReadBrowse(
        HttpRequest request, out MessageState? state, out string? after, out int limit, out int? preview)
    {
        preview = null;
        state = MessageState.Ready;
        after = null;
        limit = PageDefault;
        var query = new QueryOptions(request);
        while (query.Next(out var name, out var value))
        {
            Problem? problem = null;
            switch (name)
            {
                case "state":
                    problem = MessageStates.Read(value, out state);
                    break;
                case "after":
                    after = value;
                    break;
                case "limit":
                    problem = OptionValues.Integer("limit", value, 1, PageMax, out limit);
                    break;
                case "preview":
                    problem = OptionValues.Integer("preview", value, 0, PreviewBytesMax, out var bytes);
                    preview = bytes;
                    break;
                default:
                    return OptionValues.Unknown(name, "state, after, limit, preview");
            }

            if (problem is not null)
            {
                return problem;
            }
        }

        return query.Problem;
    }

    private Problem? ReadReschedule(HttpRequest request, out DateTimeOffset at)
    {
        at = default;
        var given = 0;
        var query = new QueryOptions(request);
        while (query.Next(out var name, out var value))
        {
            Problem? problem;
            switch (name)
            {
                case "at":
                    problem = OptionValues.Time("at", value, time.GetUtcNow(), out at);
                    break;
                case "delay":
                    problem = OptionValues.Duration("delay", value, TimeSpan.Zero, Duration.Longest, out var delay);
                    at = time.GetUtcNow() + delay;
                    break;
                default:
                    return OptionValues.Unknown(name, "at, delay");
            }

            given++;
            if (problem is not null)
            {
                return problem;
            }
        }

        return query.Problem ?? (given == 1 ? null : Problem.BadOption("Give either 'at' or 'delay', once."));
    }

    private Problem? ReadReplay(HttpRequest http, out ReplayRequest request)
    {
        request = new ReplayRequest();
        var query = new QueryOptions(http);
        while (query.Next(out var name, out var value))
        {
            Problem? problem = null;
            switch (name)
            {
                case "id":
                    problem = MessageId.TryParse(value, out var id, out var whyNot) ? null : new Problem(ProblemType.BadMessageId, whyNot);
                    request = request with { Id = id };
                    break;
                case "count":
                    problem = OptionValues.Integer("count", value, 1, int.MaxValue, out var count);
                    request = request with { Count = count };
                    break;
                case "reason":
                    request = request with { Reason = value };
                    break;
                case "before":
                    problem = OptionValues.Time("before", value, time.GetUtcNow(), out var before);
                    request = request with { Before = before };
                    break;
                case "rate":
                    problem = OptionValues.Integer("rate", value, 1, 100_000, out var rate);
                    request = request with { PerSecond = rate };
                    break;
                default:
                    return OptionValues.Unknown(name, "id, count, reason, before, rate");
            }

            if (problem is not null)
            {
                return problem;
            }
        }

        return query.Problem ?? (request is { Id: not null, IsPlain: false }
            ? Problem.BadOption("Give either 'id', or 'reason', 'before' and 'rate'.")
            : null);
    }
}
