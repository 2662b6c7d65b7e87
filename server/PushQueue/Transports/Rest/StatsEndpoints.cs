using System.Text.Json;
using Microsoft.AspNetCore.Http;
using PushQueue.Diagnostics;
using PushQueue.Security;

namespace PushQueue.Transports.Rest;

/// <summary>GET /stats and /metrics: the node at one moment, and the sums over its queues; the metrics.</summary>
internal sealed class StatsEndpoints(NodeStatistics statistics, MetricCollector metrics, ClusterAnswers cluster)
{
    public void Map(RestRoutes routes)
    {
        routes.Map("/stats", ("GET", AccessRule.Node(Permissions.Any), StatsAsync));
        routes.Map("/metrics", ("GET", AccessRule.Node(Permissions.Any), MetricsAsync));
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

        var snapshot = await statistics.TakeAsync();
        var others = await cluster.NodesAsync();
        var json = JsonBuffer.Rent();
        Write(json.Writer, snapshot, others);
        return await RestAnswers.JsonAsync(context, StatusCodes.Status200OK, json.Finish());
    }

    private static void Write(Utf8JsonWriter writer, NodeSnapshot node, IReadOnlyList<byte[]> others)
    {
        writer.WriteStartObject();
        writer.WritePropertyName("node"u8);
        NodeJson.WriteSnapshot(writer, node);
        writer.WriteStartArray("otherNodes"u8);
        foreach (var other in others)
        {
            writer.WriteRawValue(other);
        }

        writer.WriteEndArray();
        writer.WriteNumber("queues"u8, node.Queues);
        writer.WriteNumber("ready"u8, node.Ready);
        writer.WriteNumber("delayed"u8, node.Delayed);
        writer.WriteNumber("leased"u8, node.Leased);
        writer.WriteNumber("history"u8, node.History);
        writer.WriteNumber("bytes"u8, node.Bytes);
        writer.WriteNumber("putPerSecond"u8, Math.Round(node.Rate.Put, 1));
        writer.WriteNumber("deliveredPerSecond"u8, Math.Round(node.Rate.Delivered, 1));
        QueueJson.WriteCounters(writer, node.Counters);
        writer.WriteEndObject();
    }
}
