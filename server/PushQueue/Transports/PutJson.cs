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

    /// <summary>Writes the fields of an answer to many; duplicates are told apart where there are any.</summary>
    public static void WriteMany(Utf8JsonWriter writer, QueueName queue, IReadOnlyList<PutOutcome> outcomes, string durability)
    {
        writer.WriteString("queue"u8, queue.Value);
        var duplicates = 0;
        writer.WriteStartArray("ids"u8);
        foreach (var outcome in outcomes)
        {
            MessageJson.WriteId(writer, outcome.Id);
            duplicates += outcome.Duplicate ? 1 : 0;
        }

        writer.WriteEndArray();
        if (duplicates > 0)
        {
            writer.WriteStartArray("duplicates"u8);
            foreach (var outcome in outcomes.Where(outcome => outcome.Duplicate))
            {
                MessageJson.WriteId(writer, outcome.Id);
            }

            writer.WriteEndArray();
        }

        writer.WriteString("durability"u8, durability);
    }
}
