using Microsoft.AspNetCore.Http;
using PushQueue.Queues;
using PushQueue.Security;
using PushQueue.Transports.Json;
using PushQueue.Transports.OpenApi;
using PushQueue.Transports.Operations;

namespace PushQueue.Transports.Rest;

/// <summary>Settles leases: ack, release and touch, by receipt; or many in one request.</summary>
internal sealed class LeaseEndpoints(OperationExecutor operations)
{
    public void Map(RestRoutes routes)
    {
        Map(routes, "ack", Settlement.Ack, LeaseOperations.Ack, LeaseOperations.AckMany);
        Map(routes, "release", Settlement.Release, LeaseOperations.Release, LeaseOperations.ReleaseMany);
        Map(routes, "touch", Settlement.Touch, LeaseOperations.Touch, LeaseOperations.TouchMany);
    }

    private void Map(RestRoutes routes, string word, Settlement settlement, ApiOperation one, ApiOperation many)
    {
        routes.MapShort(
            $"/q/{{queue}}/messages/{{id}}/{word}", ("POST", AccessRule.Settle, context => SettleAsync(context, settlement), one));
        routes.Map($"/q/{{queue}}/{word}", ("POST", AccessRule.Settle, context => SettleManyAsync(context, settlement), many));
    }

    private async ValueTask<Problem?> SettleAsync(HttpContext context, Settlement settlement)
    {
        if (Problem.First(
                RawPath.Queue(context, 3, out var queue),
                RawPath.Message(context, 1, out var id),
                ReadOptions(context.Request, settlement, withReceipt: true, out var options)) is { } problem)
        {
            return problem;
        }

        return await operations.SettleOneAsync(settlement, queue, new LeaseKey(id, options.Receipt), options)
            ?? RestAnswers.NoContent(context);
    }

    private async ValueTask<Problem?> SettleManyAsync(HttpContext context, Settlement settlement)
    {
        if (Problem.First(
                RawPath.Queue(context, 1, out var queue),
                ReadOptions(context.Request, settlement, withReceipt: false, out var options)) is { } problem)
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

        var errors = await operations.SettleAsync(settlement, queue, keys, options);
        var results = new LeaseResultsContract(queue.Value, LeaseKeysJson.Results(keys, errors));
        return await RestAnswers.ContractAsync(context, results, ContractContext.Default.LeaseResultsContract);
    }

    private static Problem? ReadOptions(HttpRequest request, Settlement settlement, bool withReceipt, out LeaseOptions options)
    {
        var query = new QueryOptions(request);
        return LeaseOptions.Read(ref query, withReceipt ? settlement.OptionsOfOne : settlement.Options, out options)
            ?? (withReceipt && options.Receipt.IsNone
                ? Problem.BadOption("The option 'receipt' is missing; give the receipt that came with the lease.")
                : null);
    }
}
