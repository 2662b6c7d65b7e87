using Microsoft.AspNetCore.Http;
using PushQueue.Diagnostics;
using PushQueue.Security;
using PushQueue.Transports.Json;
using PushQueue.Transports.OpenApi;

namespace PushQueue.Transports.Rest;

/// <summary>GET /nodes: the nodes that serve these queues; GET /events: what happened on this one.</summary>
internal sealed class NodeEndpoints(NodeEvents events, ClusterAnswers cluster)
{
    private const int PageDefault = 100;

    public void Map(RestRoutes routes)
    {
        routes.Map("/nodes", ("GET", AccessRule.Node(Permissions.Any), NodesAsync, NodeOperations.ListNodes));
        routes.Map("/events", ("GET", AccessRule.Node(Permissions.Any), EventsAsync, NodeOperations.ListEvents));
    }

    private async ValueTask<Problem?> NodesAsync(HttpContext context)
    {
        if (QueryOptions.None(context.Request) is { } problem)
        {
            return problem;
        }

        return await RestAnswers.ContractAsync(
            context, new NodesContract(await cluster.FactsAsync()), ContractContext.Default.NodesContract);
    }

    private async ValueTask<Problem?> EventsAsync(HttpContext context)
    {
        if (Read(context.Request, out var after, out var limit) is { } problem)
        {
            return problem;
        }

        var latest = new EventsContract([.. events.Since(after, limit).Select(EventContract.Of)]);
        return await RestAnswers.ContractAsync(context, latest, ContractContext.Default.EventsContract);
    }

    private static Problem? Read(HttpRequest request, out long after, out int limit)
    {
        after = 0;
        limit = PageDefault;
        var query = new QueryOptions(request);
        while (query.Next(out var name, out var value))
        {
            Problem? problem;
            switch (name)
            {
                case "after":
                    problem = OptionValues.LongInteger("after", value, 0, long.MaxValue, out after);
                    break;
                case "limit":
                    problem = OptionValues.Integer("limit", value, 1, NodeEvents.EventsMax, out limit);
                    break;
                default:
                    return OptionValues.Unknown(name, "after, limit");
            }

            if (problem is not null)
            {
                return problem;
            }
        }

        return query.Problem;
    }
}
