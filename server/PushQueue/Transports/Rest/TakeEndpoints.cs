using Microsoft.AspNetCore.Http;
using PushQueue.Queues;
using PushQueue.Security;

namespace PushQueue.Transports.Rest;

/// <summary>GET /q/{queue}: takes or leases one message as it was put; GET /q/{queue}/batch: many, as envelopes.</summary>
internal sealed class TakeEndpoints(IMessageBroker broker, AccessControl access, WaitingRights waiting)
{
    public async ValueTask<Problem?> TakeAsync(HttpContext context)
    {
        if (Problem.First(
                RawPath.Queue(context, 0, out var queue),
                TakeQuery.Read(context, many: false, out var request)) is { } problem)
        {
            return problem;
        }

        return await AnswerAsync(context, queue, request, request.TimeToRun is null ? TakeAsync : LeaseAsync);
    }

    public async ValueTask<Problem?> TakeManyAsync(HttpContext context)
    {
        if (Problem.First(
                RawPath.Queue(context, 1, out var queue),
                TakeQuery.Read(context, many: true, out var request)) is { } problem)
        {
            return problem;
        }

        return await AnswerAsync(context, queue, request, request.TimeToRun is null ? TakeManyAsync : LeaseManyAsync);
    }

    /// <summary>A request that waits ends with the right of who sent it.</summary>
    private async ValueTask<Problem?> AnswerAsync(
        HttpContext context, QueueName queue, TakeRequest request, Func<HttpContext, QueueName, TakeRequest, CancellationToken, ValueTask<Problem?>> answer)
    {
        if (request.Wait <= TimeSpan.Zero)
        {
            return await answer(context, queue, request, context.RequestAborted);
        }

        using var right = waiting.Begin(access.CallerOf(context.User), Permissions.Take, queue, context.RequestAborted);
        try
        {
            return await answer(context, queue, request, right?.Token ?? context.RequestAborted);
        }
        catch (OperationCanceledException) when (right is { IsLost: true })
        {
            return right.WhyLost();
        }
    }

    private async ValueTask<Problem?> TakeAsync(HttpContext context, QueueName queue, TakeRequest request, CancellationToken cancellationToken)
    {
        var result = await broker.TakeAsync(queue, request, cancellationToken);
        if (!result.Ok)
        {
            return ProblemDetailsMapper.ToProblem(result);
        }

        return result.Value is [var message, ..] ? await MessageAnswer.WriteAsync(context, message) : RestAnswers.NoContent(context);
    }

    private async ValueTask<Problem?> LeaseAsync(HttpContext context, QueueName queue, TakeRequest request, CancellationToken cancellationToken)
    {
        var result = await broker.LeaseAsync(queue, request, cancellationToken);
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

        return await MessageAnswer.WriteAsync(context, lease.Message);
    }

    private async ValueTask<Problem?> TakeManyAsync(HttpContext context, QueueName queue, TakeRequest request, CancellationToken cancellationToken)
    {
        var result = await broker.TakeAsync(queue, request, cancellationToken);
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

    private async ValueTask<Problem?> LeaseManyAsync(HttpContext context, QueueName queue, TakeRequest request, CancellationToken cancellationToken)
    {
        var result = await broker.LeaseAsync(queue, request, cancellationToken);
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
}
