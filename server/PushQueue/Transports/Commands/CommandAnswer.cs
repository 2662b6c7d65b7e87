using System.Text.Json;
using PushQueue.Delivery.Encoding;
using PushQueue.Queues;
using PushQueue.Transports.Json;

namespace PushQueue.Transports.Commands;

/// <summary>The answers of the JSON protocol: one JSON object on one line, with the command's <c>ref</c>.</summary>
internal static class CommandAnswer
{
    /// <summary>Opens an answer of success; the caller adds its fields and ends it with <see cref="End"/>.</summary>
    public static JsonBuffer Begin(CommandFrame frame)
    {
        var json = JsonBuffer.Rent();
        json.Writer.WriteStartObject();
        WriteReference(json.Writer, frame);
        json.Writer.WriteBoolean("ok"u8, value: true);
        return json;
    }

    public static byte[] End(JsonBuffer json)
    {
        json.Writer.WriteEndObject();
        return json.Finish();
    }

    public static CommandResult Error(CommandFrame frame, Problem problem)
    {
        var json = JsonBuffer.Rent();
        json.Writer.WriteStartObject();
        WriteReference(json.Writer, frame);
        json.Writer.WriteString("error"u8, problem.Type.Name);
        json.Writer.WriteString("detail"u8, problem.Sentence);
        return new CommandResult(End(json), problem);
    }

    public static byte[] OfQueue(CommandFrame frame, QueueName queue, string name, string value)
    {
        var json = Begin(frame);
        json.Writer.WriteString("queue"u8, queue.Value);
        json.Writer.WriteString(name, value);
        return End(json);
    }

    public static byte[] OfMessage(CommandFrame frame, QueueName queue, MessageId id)
    {
        var json = Begin(frame);
        json.Writer.WriteString("queue"u8, queue.Value);
        MessageJson.WriteId(json.Writer, "id"u8, id);
        return End(json);
    }

    public static CommandResult OfSubscription(CommandFrame frame, QueueName queue, Cursor? cursor)
    {
        var json = Begin(frame);
        json.Writer.WriteString("queue"u8, queue.Value);
        if (cursor is { } position)
        {
            json.Writer.WriteString("cursor"u8, position.ToString());
        }

        return End(json);
    }

    public static CommandResult OfSubscription(CommandFrame frame, IReadOnlyList<QueueName> queues, string cursor)
    {
        var json = Begin(frame);
        json.Writer.WriteStartArray("queues"u8);
        foreach (var queue in queues)
        {
            json.Writer.WriteStringValue(queue.Value);
        }

        json.Writer.WriteEndArray();
        json.Writer.WriteString("cursor"u8, cursor);
        return End(json);
    }

    private static void WriteReference(Utf8JsonWriter writer, CommandFrame frame)
    {
        if (!frame.Reference.IsEmpty)
        {
            writer.WritePropertyName("ref"u8);
            writer.WriteRawValue(frame.Reference.Span, skipInputValidation: true);
        }
    }
}
