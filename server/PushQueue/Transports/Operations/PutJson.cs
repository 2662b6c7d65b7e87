using System.Text.Json;
using PushQueue.Queues;
using PushQueue.Transports.Json;

namespace PushQueue.Transports.Operations;

/// <summary>The answer to a put.</summary>
internal static class PutJson
{
    private const string NumberIsKnown =
        "A message with this id is known, perhaps one that got it from the queue, whose own ids are numbers; choose ids that are not "
            + "numbers.";

    private static void Write(Utf8JsonWriter writer, QueueName queue, in PutOutcome outcome, string durability)
    {
        writer.WriteString("queue"u8, queue.Value);
        MessageJson.WriteId(writer, "id"u8, outcome.Id);
        writer.WriteString("durability"u8, durability);
        if (outcome.Copies > 0)
        {
            writer.WriteNumber("copies"u8, outcome.Copies);
        }

        if (outcome.Duplicate)
        {
            writer.WriteBoolean("duplicate"u8, value: true);
            WriteDetail(writer, outcome.Id.IsNumber);
        }
    }

    /// <summary>The fields of a put; where it waited for the end of its message, how that ended, too.</summary>
    public static void Write(Utf8JsonWriter writer, QueueName queue, in PutResult result, string durability)
    {
        var put = result.Put;
        Write(writer, queue, put.Put, durability);
        if (!result.Waited)
        {
            return;
        }

        if (put.Gone)
        {
            // A duplicate of a message that ended before; how it ended is not known any more.
            writer.WriteBoolean("gone"u8, value: true);
            return;
        }

        writer.WriteBoolean("acked"u8, put.End is not null);
        if (put.End is { } end)
        {
            writer.WriteString("worker"u8, end.Worker);
            writer.WriteNumber("attempts"u8, end.Attempts);
        }
    }

    /// <summary>The problem of a message that ended without an ack; null where it was acked or goes on.</summary>
    public static Problem? WhyNotAcked(QueueName queue, in AwaitedPut put)
    {
        if (put.End is null or { Acked: true })
        {
            return null;
        }

        var id = OptionValues.Shown(put.Put.Id.ToString());
        return put.End.Reason switch
        {
            "max-attempts" => new Problem(
                ProblemType.DeadLettered, $"Message '{id}' failed {put.End.Attempts} times and was moved to '{queue.DeadLetter}', or "
                    + "dropped if the queue keeps no dead letters."),
            "rejected" => new Problem(
                ProblemType.DeadLettered, $"Message '{id}' was rejected by its worker and was moved to '{queue.DeadLetter}', or dropped "
                    + "if the queue keeps no dead letters."),
            "expired" => new Problem(ProblemType.Expired),
            "cancelled" => new Problem(ProblemType.Cancelled),
            "queue-deleted" => new Problem(ProblemType.QueueDeleted),
            _ => new Problem(ProblemType.Dropped),
        };
    }

    /// <summary>Writes the fields of an answer to many; duplicates are marked if there are any.</summary>
    public static void WriteMany(Utf8JsonWriter writer, QueueName queue, IReadOnlyList<PutOutcome> outcomes, string durability)
    {
        writer.WriteString("queue"u8, queue.Value);
        var duplicates = 0;
        var copies = 0;
        writer.WriteStartArray("ids"u8);
        foreach (var outcome in outcomes)
        {
            MessageIdConverter.Write(writer, outcome.Id);
            duplicates += outcome.Duplicate ? 1 : 0;
            copies += outcome.Copies;
        }

        writer.WriteEndArray();
        if (duplicates > 0)
        {
            writer.WriteStartArray("duplicates"u8);
            foreach (var outcome in outcomes.Where(outcome => outcome.Duplicate))
            {
                MessageIdConverter.Write(writer, outcome.Id);
            }

            writer.WriteEndArray();
        }

        writer.WriteString("durability"u8, durability);
        if (copies > 0)
        {
            writer.WriteNumber("copies"u8, copies);
        }

        WriteDetail(writer, duplicates > 0 && outcomes.Any(static outcome => outcome is { Duplicate: true, Id.IsNumber: true }));
    }

    /// <summary>Says that a known number may be the id of another message, which the producer would not expect.</summary>
    private static void WriteDetail(Utf8JsonWriter writer, bool numberIsKnown)
    {
        if (numberIsKnown)
        {
            writer.WriteString("detail"u8, NumberIsKnown);
        }
    }
}
