using System.Text.Json;
using PushQueue.Queues;

namespace PushQueue.Transports;

#pragma warning disable RS0030 // Only the lists of other nodes are read here, which this class wrote.

/// <summary>Workers as JSON: written for clients and for other nodes, read from other nodes.</summary>
internal static class WorkerJson
{
    public static void WriteAll(Utf8JsonWriter writer, IEnumerable<WorkerInfo> workers)
    {
        writer.WriteStartArray();
        foreach (var worker in workers)
        {
            Write(writer, worker);
        }

        writer.WriteEndArray();
    }

    /// <summary>Adds what another node says to what is known: one worker may work at several nodes.</summary>
    public static void Merge(Dictionary<string, WorkerInfo> workers, byte[] json)
    {
        using var document = JsonDocument.Parse(json);
        foreach (var element in document.RootElement.EnumerateArray())
        {
            var worker = Read(element);
            workers[worker.Name] = workers.TryGetValue(worker.Name, out var known)
                ? new WorkerInfo(
                    worker.Name,
                    [.. known.Queues.Union(worker.Queues)],
                    known.Since < worker.Since ? known.Since : worker.Since,
                    known.LastSeen > worker.LastSeen ? known.LastSeen : worker.LastSeen,
                    known.Processed + worker.Processed,
                    known.Failed + worker.Failed)
                : worker;
        }
    }

    private static void Write(Utf8JsonWriter writer, WorkerInfo worker)
    {
        writer.WriteStartObject();
        writer.WriteString("worker"u8, worker.Name);
        writer.WriteStartArray("queues"u8);
        foreach (var queue in worker.Queues)
        {
            writer.WriteStringValue(queue.Value);
        }

        writer.WriteEndArray();
        writer.WriteNumber("processed"u8, worker.Processed);
        writer.WriteNumber("failed"u8, worker.Failed);
        MessageJson.WriteTime(writer, "since"u8, worker.Since);
        MessageJson.WriteTime(writer, "lastSeen"u8, worker.LastSeen);
        writer.WriteEndObject();
    }

    private static WorkerInfo Read(JsonElement element) => new(
        element.GetProperty("worker"u8).GetString()!,
        [.. element.GetProperty("queues"u8).EnumerateArray().Select(static queue => QueueName.Parse(queue.GetString()!))],
        element.GetProperty("since"u8).GetDateTimeOffset(),
        element.GetProperty("lastSeen"u8).GetDateTimeOffset(),
        element.GetProperty("processed"u8).GetInt64(),
        element.GetProperty("failed"u8).GetInt64());
}
