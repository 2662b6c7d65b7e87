using System.Text.Json;
using PushQueue.Queues;
using PushQueue.Security;

namespace PushQueue.Transports;

/// <summary>What a caller may do, for pages that offer only what can be done.</summary>
internal static class AccessJson
{
    /// <summary>The caller by himself: the name of his key (null without access control), what he may do everywhere, and on some queue at least.</summary>
    public static byte[] OfCaller(Caller caller)
    {
        var json = JsonBuffer.Rent();
        var writer = json.Writer;
        writer.WriteStartObject();
        writer.WriteString("key"u8, caller.Key?.Name);
        WriteWords(writer, "everywhere"u8, static (caller, _, bit) => caller.MayEverywhere(bit), caller, default);
        WriteWords(writer, "somewhere"u8, static (caller, _, bit) => caller.MaySomewhere(bit), caller, default);
        writer.WriteEndObject();
        return json.Finish();
    }

    /// <summary>What he may do with one queue, as a list of words.</summary>
    public static byte[] OfQueue(Caller caller, QueueName queue)
    {
        var json = JsonBuffer.Rent();
        json.Writer.WriteStartObject();
        WriteWords(json.Writer, "queue"u8, static (caller, queue, bit) => caller.May(bit, queue), caller, queue);
        WriteWords(
            json.Writer, "deadLetters"u8, static (caller, queue, bit) => caller.May(bit, queue), caller, queue.IsDeadLetter ? queue : queue.DeadLetter);
        json.Writer.WriteEndObject();
        return json.Finish();
    }

    private static void WriteWords(
        Utf8JsonWriter writer, ReadOnlySpan<byte> name, Func<Caller, QueueName, Permissions, bool> may, Caller caller, QueueName queue)
    {
        writer.WriteStartArray(name);
        foreach (var (bit, word) in AccessProblems.Words)
        {
            if (may(caller, queue, bit))
            {
                writer.WriteStringValue(word);
            }
        }

        writer.WriteEndArray();
    }
}
