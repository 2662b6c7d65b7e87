using System.Text.Json;
using Microsoft.AspNetCore.Http;
using PushQueue.Queues;
using PushQueue.Security;
using PushQueue.Transports.Json;
using PushQueue.Transports.Operations;

namespace PushQueue.Transports.Rest;

/// <summary>GET /q/{queue}: takes or leases one message as it was put; GET /q/{queue}/batch: many, as envelopes.</summary>
internal sealed class TakeEndpoints(OperationExecutor operations, AccessControl access)
{
    private const string Names = "wait, ttr, worker, where";

    private static readonly TakeRequest One = new();

    private static readonly TakeRequest Many = new(Count: 100);

    public async ValueTask<Problem?> TakeAsync(HttpContext context)
    {
        var request = One with { Pending = new HttpPendingTake(context) };
        if (Read(context, fromEnd: 0, Names, ref request, out var queue) is { } problem)
        {
            return problem;
        }

        var caller = access.CallerOf(context);
        if (request.TimeToRun is not null)
        {
            return await AnswerAsync(context, await operations.LeaseAsync(queue, request, caller, context.RequestAborted));
        }

        var taken = await operations.TakeAsync(queue, request, caller, context.RequestAborted);
        return taken.Problem
            ?? (taken.Value is [var message, ..] ? await MessageAnswer.WriteAsync(context, message) : RestAnswers.NoContent(context));
    }

    public async ValueTask<Problem?> TakeManyAsync(HttpContext context)
    {
        var request = Many with { Pending = new HttpPendingTake(context) };
        if (Read(context, fromEnd: 1, "count, " + Names, ref request, out var queue) is { } problem)
        {
            return problem;
        }

        var caller = access.CallerOf(context);
        return request.TimeToRun is null
            ? await AnswerAsync(
                context,
                await operations.TakeAsync(queue, request, caller, context.RequestAborted),
                static (writer, message) => MessageJson.WriteEnvelope(writer, message))
            : await AnswerAsync(
                context,
                await operations.LeaseAsync(queue, request, caller, context.RequestAborted),
                static (writer, lease) => MessageJson.WriteEnvelope(writer, lease));
    }

    private static Problem? Read(HttpContext context, int fromEnd, string names, ref TakeRequest request, out QueueName queue)
    {
        var query = new QueryOptions(context.Request);
        return RawPath.Queue(context, fromEnd, out queue) ?? TakeOptions.Read(ref query, names, ref request);
    }

    private static async ValueTask<Problem?> AnswerAsync(HttpContext context, Outcome<IReadOnlyList<Lease>> leased)
    {
        if (leased.Problem is { } problem)
        {
            return problem;
        }

        if (leased.Value is not [var lease, ..])
        {
            return RestAnswers.NoContent(context);
        }

        var headers = context.Response.Headers;
        headers["PushQueue-Receipt"] = lease.Receipt.ToString();
        if (lease.Until is { } until)
        {
            headers["PushQueue-Leased-Until"] = TimeConverter.Format(until);
        }

        return await MessageAnswer.WriteAsync(context, lease.Message);
    }

    private static async ValueTask<Problem?> AnswerAsync<T>(
        HttpContext context, Outcome<IReadOnlyList<T>> taken, Action<Utf8JsonWriter, T> write)
    {
        if (taken.Problem is { } problem)
        {
            return problem;
        }

        var json = JsonBuffer.Rent();
        json.Writer.WriteStartArray();
        foreach (var item in taken.Value!)
        {
            write(json.Writer, item);
        }

        json.Writer.WriteEndArray();
        return await RestAnswers.JsonAsync(context, StatusCodes.Status200OK, json.Finish());
    }
}
