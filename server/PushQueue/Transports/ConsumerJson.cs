using System.Text.Json;
using PushQueue.Delivery;

namespace PushQueue.Transports;

/// <summary>Consumers as JSON.</summary>
internal static class ConsumerJson
{
    /// <summary>Those of this node, then those of the others, who have written theirs as lists, as long as they are not too many.</summary>
    public static void WriteAll(
        Utf8JsonWriter writer, IReadOnlyList<Consumer> consumers, IReadOnlyList<byte[]> elsewhere, int countMax = int.MaxValue)
    {
        writer.WriteStartArray("consumers"u8);
        WriteEach(writer, consumers);
        var left = countMax - consumers.Count;
        foreach (var list in elsewhere)
        {
            using var document = JsonDocument.Parse(list);
            foreach (var consumer in document.RootElement.EnumerateArray().Take(left))
            {
                consumer.WriteTo(writer);
                left--;
            }
        }

        writer.WriteEndArray();
    }

    /// <summary>How many another node has written.</summary>
    public static int Count(byte[] list)
    {
        using var document = JsonDocument.Parse(list);
        return document.RootElement.GetArrayLength();
    }

    public static void WriteEach(Utf8JsonWriter writer, IReadOnlyList<Consumer> consumers)
    {
        foreach (var consumer in consumers)
        {
            Write(writer, consumer);
        }
    }

    private static void Write(Utf8JsonWriter writer, Consumer consumer)
    {
        var connection = consumer.Buffer.Connection;
        writer.WriteStartObject();
        writer.WriteNumber("id"u8, consumer.Number);
        writer.WriteString("queue"u8, consumer.Queue.Value);
        writer.WriteString("transport"u8, connection.Transport);
        writer.WriteString("remoteAddress"u8, connection.RemoteAddress);
        writer.WriteString("worker"u8, consumer.Options.Worker);
        writer.WriteString("ack"u8, consumer.Options.Ack == AckMode.Manual ? "manual"u8 : "auto"u8);
        writer.WriteNumber("prefetch"u8, consumer.Prefetch);
        writer.WriteNumber("credit"u8, Math.Max(0, consumer.Prefetch - consumer.InFlight));
        writer.WriteNumber("inFlight"u8, consumer.InFlight);
        writer.WriteNumber("delivered"u8, consumer.Delivered);
        writer.WriteNumber("acked"u8, consumer.Acked);
        writer.WriteNumber("failed"u8, consumer.Failed);
        writer.WriteNumber("lag"u8, consumer.Lag);
        writer.WriteNumber("waitingBytes"u8, consumer.Buffer.WaitingBytes);
        MessageJson.WriteTime(writer, "since"u8, consumer.Since);
        writer.WriteEndObject();
    }
}
