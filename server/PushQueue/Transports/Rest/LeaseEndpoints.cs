using Microsoft.AspNetCore.Http;
using PushQueue.Queues;
using PushQueue.Security;

namespace PushQueue.Transports.Rest;

/// <summary>Settles leases: ack, release and touch, by receipt; or many in one request.</summary>
internal sealed class LeaseEndpoints(IMessageBroker broker)
{
    public void Map(RestRoutes routes)
    {
        routes.MapShort("/q/{queue}/messages/{id}/ack", ("POST", AccessRule.Settle, AckAsync));
        routes.MapShort("/q/{queue}/messages/{id}/release", ("POST", AccessRule.Settle, ReleaseAsync));
        routes.MapShort("/q/{queue}/messages/{id}/touch", ("POST", AccessRule.Settle, TouchAsync));
        routes.Map("/q/{queue}/ack", ("POST", AccessRule.Settle, AckManyAsync));
        routes.Map("/q/{queue}/release", ("POST", AccessRule.Settle, ReleaseManyAsync));
        routes.Map("/q/{queue}/touch", ("POST", AccessRule.Settle, TouchManyAsync));
    }

    private async ValueTask<Problem?> AckAsync(HttpContext context)
    {
        if (Problem.First(
                ReadPath(context, out var queue, out var id),
                LeaseQuery.Read(context.Request, "receipt", out var options)) is { } problem)
        {
            return problem;
        }

        return Answer(context, await broker.AckAsync(queue, [new LeaseKey(id, options.Receipt)]));
    }

    private async ValueTask<Problem?> ReleaseAsync(HttpContext context)
    {
        if (Problem.First(
                ReadPath(context, out var queue, out var id),
                LeaseQuery.Read(context.Request, "receipt, delay, backoff, error, worker, unstarted", out var options)) is { } problem)
        {
            return problem;
        }

        return Answer(context, await broker.ReleaseAsync(queue, [new LeaseKey(id, options.Receipt)], options.ToRelease()));
    }

    private async ValueTask<Problem?> TouchAsync(HttpContext context)
    {
        if (Problem.First(
                ReadPath(context, out var queue, out var id),
                LeaseQuery.Read(context.Request, "receipt, ttr", out var options)) is { } problem)
        {
            return problem;
        }

        return Answer(context, await broker.TouchAsync(queue, [new LeaseKey(id, options.Receipt)], await TimeToRunAsync(queue, options)));
    }

    private ValueTask<Problem?> AckManyAsync(HttpContext context) =>
        SettleManyAsync(context, "", (queue, keys, _) => broker.AckAsync(queue, keys));

    private ValueTask<Problem?> ReleaseManyAsync(HttpContext context) =>
        SettleManyAsync(context, "delay, backoff, error, worker, unstarted", (queue, keys, options) => broker.ReleaseAsync(queue, keys, options.ToRelease()));

    private ValueTask<Problem?> TouchManyAsync(HttpContext context) =>
        SettleManyAsync(context, "ttr", async (queue, keys, options) => await broker.TouchAsync(queue, keys, await TimeToRunAsync(queue, options)));

    private async ValueTask<TimeSpan> TimeToRunAsync(QueueName queue, LeaseOptions options) =>
        options.TimeToRun ?? (await broker.GetQueueAsync(queue))?.Settings.TimeToRun ?? QueueSettings.Default.TimeToRun;

    private static async ValueTask<Problem?> SettleManyAsync(
        HttpContext context, string allowed, Func<QueueName, List<LeaseKey>, LeaseOptions, ValueTask<IReadOnlyList<QueueError>>> settle)
    {
        if (Problem.First(RawPath.Queue(context, 1, out var queue), LeaseQuery.ReadForMany(context.Request, allowed, out var options)) is { } problem)
        {
            return problem;
        }

        var (body, bodyProblem) = await RequestBody.ReadAsync(context, LeaseKeysJson.BytesMax, ProblemType.BatchTooLarge);
        if (bodyProblem is not null)
        {
            return bodyProblem;
        }

        if (LeaseKeysJson.Read(body, out var keys) is { } broken)
        {
            return broken;
        }

        var errors = await settle(queue, keys, options);
        var json = JsonBuffer.Rent();
        json.Writer.WriteStartObject();
        json.Writer.WriteString("queue"u8, queue.Value);
        LeaseKeysJson.WriteResults(json.Writer, keys, errors);
        json.Writer.WriteEndObject();
        return await RestAnswers.JsonAsync(context, StatusCodes.Status200OK, json.Finish());
    }

    private static Problem? ReadPath(HttpContext context, out QueueName queue, out MessageId id)
    {
        return Problem.First(RawPath.Queue(context, 3, out queue), RawPath.Message(context, 1, out id));
    }

    private static Problem? Answer(HttpContext context, IReadOnlyList<QueueError> errors) =>
        errors[0] == QueueError.None
            ? RestAnswers.NoContent(context)
            : ProblemDetailsMapper.ToProblem(new BrokerFailure(errors[0]));
}
