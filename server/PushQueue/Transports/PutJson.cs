using System.Text.Json;
using PushQueue.Queues;

namespace PushQueue.Transports;

/// <summary>The answer to a put.</summary>
internal static class PutJson
{
    /// <summary>Writes the fields into an object that is open.</summary>
    public static void Write(Utf8JsonWriter writer, QueueName queue, in PutOutcome outcome, string durability)
    {
        writer.WriteString("queue"u8, queue.Value);
        MessageJson.WriteId(writer, "id"u8, outcome.Id);
        writer.WriteString("durability"u8, durability);
        if (outcome.Duplicate)
        {
            writer.WriteBoolean("duplicate"u8, value: true);
        }
    }
}
