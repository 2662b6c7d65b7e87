using Microsoft.AspNetCore.Http;
using PushQueue.Delivery;
using PushQueue.Diagnostics;
using PushQueue.Queues;
using PushQueue.Security;
using PushQueue.Transports.Json;
using PushQueue.Transports.OpenApi;
using PushQueue.Transports.Operations;

namespace PushQueue.Transports.Rest;

/// <summary>The queues themselves: list, delete, purge, counters, keys.</summary>
internal sealed class QueueEndpoints(
    OperationExecutor operations, IMessageBroker broker, QueueRates rates, Dispatcher dispatcher, ClusterAnswers cluster,
        AccessControl access, QueueTime time)
{
    private const int PageDefault = 100;
    private const int PageMax = 1000;

    private static readonly Problem NoQueue = Problem.NotFound("There is no such queue; its first put creates it.");

    public void Map(RestRoutes routes)
    {
        routes.Map("/q", ("GET", AccessRule.AnyKey, ListAsync, QueueOperations.ListQueues));
        routes.Map("/j/{queue}", ("GET", AccessRule.Stats, CountersAsync, QueueOperations.QueueCounters));
        routes.Map("/q/{queue}/keys", ("GET", AccessRule.Look, KeysAsync, QueueOperations.ListKeys));
        routes.Map("/q/{queue}/purge", ("POST", AccessRule.Manage, PurgeAsync, QueueOperations.PurgeQueue));
    }

    public async ValueTask<Problem?> DeleteAsync(HttpContext context)
    {
        if (Problem.First(RawPath.Queue(context, 0, out var queue), QueryOptions.None(context.Request)) is { } problem)
        {
            return problem;
        }

        var result = await broker.DeleteQueueAsync(queue);
        return result.Ok ? RestAnswers.NoContent(context) : ProblemDetailsMapper.ToProblem(result);
    }

    /// <summary>Empties the queue, which stays.</summary>
    private async ValueTask<Problem?> PurgeAsync(HttpContext context)
    {
        if (Problem.First(RawPath.Queue(context, 1, out var queue), QueryOptions.None(context.Request)) is { } problem)
        {
            return problem;
        }

        var purged = await operations.PurgeAsync(queue);
        if (purged.Problem is { } refusal)
        {
            return refusal;
        }

        return await RestAnswers.ContractAsync(
            context, new PurgedContract(queue.Value, purged.Value), ContractContext.Default.PurgedContract);
    }

    /// <summary>The keys that have live messages; none of a queue that does not exist.</summary>
    private async ValueTask<Problem?> KeysAsync(HttpContext context)
    {
        if (Problem.First(RawPath.Queue(context, 1, out var queue), ReadPage(context.Request, out var after, out var limit)) is { } problem)
        {
            return problem;
        }

        var (keys, next) = await operations.ListKeysAsync(queue, after, limit);
        var now = time.GetUtcNow();
        var page = new KeyPageContract(queue.Value, [.. keys.Select(key => KeyContract.Of(key, now))], next);
        return await RestAnswers.ContractAsync(context, page, ContractContext.Default.KeyPageContract);
    }

    private async ValueTask<Problem?> ListAsync(HttpContext context)
    {
        if (ReadPage(context.Request, out var after, out var limit) is { } problem)
        {
            return problem;
        }

        var (queues, total, next) = await VisibleAsync(access.CallerOf(context), after, limit);
        var elsewhere = await cluster.ConsumerCountsAsync();
        var now = time.GetUtcNow();
        var page = new QueuePageContract(
            [.. queues.Select(info => QueueContract.Of(info, rates.Of(info.Name), CountConsumers(info.Name, elsewhere), now))], total,
                next);
        return await RestAnswers.ContractAsync(context, page, ContractContext.Default.QueuePageContract);
    }

    /// <summary>A page of the queues that a key may see: of the others it does not even learn the names, by <c>next</c> neither.</summary>
    private async ValueTask<(List<QueueInfo> Queues, long Total, string? Next)> VisibleAsync(Caller caller, string? after, int limit)
    {
        var visible = new List<QueueInfo>();
        while (true)
        {
            var page = await broker.ListQueuesAsync(after, limit);
            foreach (var info in page.Queues.Where(info => caller.May(Permissions.Any, info.Name)))
            {
                if (visible.Count == limit)
                {
                    return (visible, page.Total, visible[^1].Name.Value);
                }

                visible.Add(info);
            }

            if (page.Next is null)
            {
                return (visible, page.Total, null);
            }

            if (visible.Count == limit)
            {
                return (visible, page.Total, visible[^1].Name.Value);
            }

            after = page.Next;
        }
    }

    private async ValueTask<Problem?> CountersAsync(HttpContext context)
    {
        if (Problem.First(RawPath.Queue(context, 0, out var queue), QueryOptions.None(context.Request)) is { } problem)
        {
            return problem;
        }

        if (await broker.GetQueueAsync(queue) is not { } info)
        {
            return NoQueue;
        }

        var elsewhere = await cluster.ConsumerCountsAsync();
        var caller = access.CallerOf(context);
        var subscribers = (await broker.SubscribersAsync(queue)).Where(subscriber => caller.May(Permissions.Any, subscriber));
        var contract = QueueContract.Of(info, rates.Of(queue), CountConsumers(queue, elsewhere), time.GetUtcNow()) with
        {
            Subscribers = [.. subscribers.Select(static subscriber => subscriber.Value)],
        };
        return await RestAnswers.ContractAsync(context, contract, ContractContext.Default.QueueContract);
    }

    private int CountConsumers(QueueName queue, IReadOnlyDictionary<string, int> elsewhere) =>
        dispatcher.CountConsumers(queue) + elsewhere.GetValueOrDefault(queue.Value);

    private static Problem? ReadPage(HttpRequest request, out string? after, out int limit)
    {
        after = null;
        limit = PageDefault;
        var query = new QueryOptions(request);
        while (query.Next(out var name, out var value))
        {
            switch (name)
            {
                case "after":
                    after = value;
                    break;
                case "limit":
                    if (OptionValues.Integer("limit", value, 1, PageMax, out limit) is { } problem)
                    {
                        return problem;
                    }

                    break;
                default:
                    return OptionValues.Unknown(name, "after, limit");
            }
        }

        return query.Problem;
    }
}
