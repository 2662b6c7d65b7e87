using System.Globalization;
using Microsoft.AspNetCore.Http;
using PushQueue.Queues;

namespace PushQueue.Transports.Rest;

/// <summary>GET /q/{queue}: takes or leases one message as it was put; GET /q/{queue}/batch: many, as envelopes.</summary>
internal sealed class TakeEndpoints(IMessageBroker broker)
{
    public async ValueTask<Problem?> TakeAsync(HttpContext context)
    {
        if (Problem.First(
                RawPath.Queue(context, 0, out var queue),
                TakeQuery.Read(context.Request, many: false, out var request)) is { } problem)
        {
            return problem;
        }

        if (request.TimeToRun is not null)
        {
            return await LeaseAsync(context, queue, request);
        }

        var result = await broker.TakeAsync(queue, request, context.RequestAborted);
        if (!result.Ok)
        {
            return ProblemDetailsMapper.ToProblem(result);
        }

        return result.Value is [var message, ..] ? await AnswerAsync(context, message) : RestAnswers.NoContent(context);
    }

    public async ValueTask<Problem?> TakeManyAsync(HttpContext context)
    {
        if (Problem.First(
                RawPath.Queue(context, 1, out var queue),
                TakeQuery.Read(context.Request, many: true, out var request)) is { } problem)
        {
            return problem;
        }

        return request.TimeToRun is null
            ? await TakeManyAsync(context, queue, request)
            : await LeaseManyAsync(context, queue, request);
    }

    private async ValueTask<Problem?> LeaseAsync(HttpContext context, QueueName queue, TakeRequest request)
    {
        var result = await broker.LeaseAsync(queue, request, context.RequestAborted);
        if (!result.Ok)
        {
            return ProblemDetailsMapper.ToProblem(result);
        }

        if (result.Value is not [var lease, ..])
        {
            return RestAnswers.NoContent(context);
        }

        var headers = context.Response.Headers;
        headers["PushQueue-Receipt"] = lease.Receipt.ToString();
        if (lease.Until is { } until)
        {
            headers["PushQueue-Leased-Until"] = MessageJson.FormatTime(until);
        }

        return await AnswerAsync(context, lease.Message);
    }

    private async ValueTask<Problem?> TakeManyAsync(HttpContext context, QueueName queue, TakeRequest request)
    {
        var result = await broker.TakeAsync(queue, request, context.RequestAborted);
        if (!result.Ok)
        {
            return ProblemDetailsMapper.ToProblem(result);
        }

        var json = JsonBuffer.Rent();
        json.Writer.WriteStartArray();
        foreach (var message in result.Value)
        {
            MessageJson.WriteEnvelope(json.Writer, message);
        }

        json.Writer.WriteEndArray();
        return await RestAnswers.JsonAsync(context, StatusCodes.Status200OK, json.Finish());
    }

    private async ValueTask<Problem?> LeaseManyAsync(HttpContext context, QueueName queue, TakeRequest request)
    {
        var result = await broker.LeaseAsync(queue, request, context.RequestAborted);
        if (!result.Ok)
        {
            return ProblemDetailsMapper.ToProblem(result);
        }

        var json = JsonBuffer.Rent();
        json.Writer.WriteStartArray();
        foreach (var lease in result.Value)
        {
            MessageJson.WriteEnvelope(json.Writer, lease);
        }

        json.Writer.WriteEndArray();
        return await RestAnswers.JsonAsync(context, StatusCodes.Status200OK, json.Finish());
    }

    private static async ValueTask<Problem?> AnswerAsync(HttpContext context, Message message)
    {
        var headers = context.Response.Headers;
        headers["PushQueue-Id"] = PercentCoding.EncodeHeader(message.Id.ToString());
        headers["PushQueue-Attempt"] = message.Attempt.ToString(CultureInfo.InvariantCulture);
        headers["PushQueue-Enqueued-At"] = MessageJson.FormatTime(message.EnqueuedAt);
        if (message.Priority != 0)
        {
            headers["PushQueue-Priority"] = message.Priority.ToString(CultureInfo.InvariantCulture);
        }

        headers.ContentSecurityPolicy = ContentTypes.BodyPolicy;
        var contentType = ContentTypes.CanBeHeader(message.ContentType) ? message.ContentType : ContentTypes.Binary;
        await RestAnswers.BytesAsync(context, StatusCodes.Status200OK, contentType, message.Body);
        return null;
    }
}
