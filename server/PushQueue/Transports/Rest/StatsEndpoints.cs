using System.Text.Json;
using Microsoft.AspNetCore.Http;
using PushQueue.Diagnostics;

namespace PushQueue.Transports.Rest;

/// <summary>GET /stats and /metrics: the node at one moment, and the sums over its queues.</summary>
internal sealed class StatsEndpoints(NodeStatistics statistics)
{
    public void Map(RestRoutes routes)
    {
        routes.Map("/stats", ("GET", StatsAsync));
        routes.Map("/metrics", ("GET", MetricsAsync));
    }

    private async ValueTask<Problem?> MetricsAsync(HttpContext context)
    {
        await RestAnswers.BytesAsync(
            context, StatusCodes.Status200OK, PrometheusText.ContentType, PrometheusText.Write(await statistics.TakeAsync()));
        return null;
    }

    private async ValueTask<Problem?> StatsAsync(HttpContext context)
    {
        if (QueryOptions.None(context.Request) is { } problem)
        {
            return problem;
        }

        var snapshot = await statistics.TakeAsync();
        var json = JsonBuffer.Rent();
        Write(json.Writer, snapshot);
        return await RestAnswers.JsonAsync(context, StatusCodes.Status200OK, json.Finish());
    }

    private static void Write(Utf8JsonWriter writer, NodeSnapshot node)
    {
        writer.WriteStartObject();
        writer.WriteStartObject("node"u8);
        writer.WriteString("version"u8, node.Version);
        writer.WriteNumber("uptimeSeconds"u8, Math.Round(node.Uptime.TotalSeconds));
        writer.WriteString("store"u8, node.Store);
        writer.WriteString("durability"u8, node.Durability);
        writer.WriteNumber("waitingTakes"u8, node.WaitingTakes);
        writer.WriteNumber("workers"u8, node.Workers);
        writer.WriteNumber("memoryBytes"u8, node.MemoryBytes);
        writer.WriteEndObject();
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
