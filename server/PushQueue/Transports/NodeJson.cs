using System.Text.Json;
using PushQueue.Diagnostics;

namespace PushQueue.Transports;

/// <summary>Nodes and their events as JSON.</summary>
internal static class NodeJson
{
    /// <summary>This node, then the others, who have written themselves.</summary>
    public static void WriteNodes(Utf8JsonWriter writer, NodeFacts node, IReadOnlyList<byte[]> others)
    {
        writer.WriteStartArray("nodes"u8);
        WriteNode(writer, node);
        foreach (var other in others)
        {
            writer.WriteRawValue(other);
        }

        writer.WriteEndArray();
    }

    public static void WriteNode(Utf8JsonWriter writer, NodeFacts node)
    {
        writer.WriteStartObject();
        writer.WriteString("node"u8, node.Name);
        writer.WriteString("version"u8, node.Version);
        MessageJson.WriteTime(writer, "startedAt"u8, node.StartedAt);
        writer.WriteString("store"u8, node.Store);
        writer.WriteString("durability"u8, node.Durability);
        writer.WriteString("unavailable"u8, node.Unavailable);
        if (node.Damage is { } damage)
        {
            writer.WriteStartObject("damage"u8);
            writer.WriteNumber("places"u8, damage.Places);
            writer.WriteString("latest"u8, damage.Latest);
            writer.WriteEndObject();
        }

        writer.WriteNumber("cpuPercent"u8, Math.Round(node.CpuPercent, 1));
        writer.WriteNumber("cores"u8, node.Cores);
        writer.WriteNumber("memoryBytes"u8, node.MemoryBytes);
        writer.WriteNumber("heapBytes"u8, node.HeapBytes);
        if (node.Usage is { } usage)
        {
            writer.WriteStartObject("disk"u8);
            writer.WriteNumber("usedBytes"u8, usage.UsedBytes);
            WriteNumber(writer, "freeBytes"u8, usage.FreeBytes);
            WriteNumber(writer, "totalBytes"u8, usage.TotalBytes);
            writer.WriteNumber("files"u8, usage.Files);
            writer.WriteEndObject();
        }

        writer.WriteStartObject("connections"u8);
        foreach (var (transport, count) in node.Connections)
        {
            writer.WriteNumber(transport, count);
        }

        writer.WriteEndObject();
        writer.WriteNumber("consumers"u8, node.Consumers);
        writer.WriteNumber("waitingTakes"u8, node.WaitingTakes);
        writer.WriteNumber("workers"u8, node.Workers);
        writer.WriteEndObject();
    }

    /// <summary>What concerns one node alone.</summary>
    public static void WriteSnapshot(Utf8JsonWriter writer, NodeSnapshot node)
    {
        writer.WriteStartObject();
        writer.WriteString("version"u8, node.Version);
        writer.WriteNumber("uptimeSeconds"u8, Math.Round(node.Uptime.TotalSeconds));
        writer.WriteString("store"u8, node.Store);
        writer.WriteString("durability"u8, node.Durability);
        writer.WriteNumber("waitingTakes"u8, node.WaitingTakes);
        writer.WriteNumber("workers"u8, node.Workers);
        writer.WriteNumber("memoryBytes"u8, node.MemoryBytes);
        writer.WriteEndObject();
    }

    public static void WriteEvents(Utf8JsonWriter writer, IReadOnlyList<NodeEvent> events)
    {
        writer.WriteStartArray("events"u8);
        foreach (var found in events)
        {
            writer.WriteStartObject();
            writer.WriteNumber("number"u8, found.Number);
            writer.WriteNumber("version"u8, found.Version);
            writer.WriteString("level"u8, found.Level switch
            {
                NodeEventLevel.Info => "info",
                NodeEventLevel.Warning => "warning",
                _ => "error",
            });
            writer.WriteString("code"u8, found.Code);
            writer.WriteString("text"u8, found.Text);
            if (found.Queue is not null)
            {
                writer.WriteString("queue"u8, found.Queue);
            }

            writer.WriteNumber("count"u8, found.Count);
            MessageJson.WriteTime(writer, "firstAt"u8, found.FirstAt);
            MessageJson.WriteTime(writer, "lastAt"u8, found.LastAt);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static void WriteNumber(Utf8JsonWriter writer, ReadOnlySpan<byte> name, long? value)
    {
        if (value is { } number)
        {
            writer.WriteNumber(name, number);
        }
        else
        {
            writer.WriteNull(name);
        }
    }
}
