using Microsoft.AspNetCore.Http;
using PushQueue.Diagnostics;
using PushQueue.Security;
using PushQueue.Transports.Json;
using PushQueue.Transports.OpenApi;

namespace PushQueue.Transports.Rest;

/// <summary>GET /stats and /metrics: the node at one moment, and the sums over its queues; the metrics.</summary>
internal sealed class StatsEndpoints(NodeStatistics statistics, MetricCollector metrics, ClusterAnswers cluster)
{
    public void Map(RestRoutes routes)
    {
        routes.Map("/stats", ("GET", AccessRule.Node(Permissions.Any), StatsAsync, NodeOperations.Stats));
        routes.Map("/metrics", ("GET", AccessRule.Node(Permissions.Any), MetricsAsync, NodeOperations.Metrics));
    }

    private async ValueTask<Problem?> MetricsAsync(HttpContext context)
    {
        await RestAnswers.BytesAsync(
            context, StatusCodes.Status200OK, PrometheusText.ContentType, await metrics.ScrapeAsync(context.RequestAborted));
        return null;
    }

    private async ValueTask<Problem?> StatsAsync(HttpContext context)
    {
        if (QueryOptions.None(context.Request) is { } problem)
        {
            return problem;
        }

        var stats = StatsContract.Of(await statistics.TakeAsync(), await cluster.NodesAsync());
        return await RestAnswers.ContractAsync(context, stats, ContractContext.Default.StatsContract);
    }
}
