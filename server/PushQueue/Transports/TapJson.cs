using System.Text.Json;
using PushQueue.Queues;

namespace PushQueue.Transports;

/// <summary>What an onlooker of a queue is told.</summary>
internal static class TapJson
{
    public static byte[] Write(IReadOnlyList<TappedEvent> events, long missed)
    {
        var json = JsonBuffer.Rent();
        var writer = json.Writer;
        writer.WriteStartObject();
        writer.WriteNumber("missed"u8, missed);
        writer.WriteStartArray("events"u8);
        foreach (var tapped in events)
        {
            Write(writer, tapped);
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
        return json.Finish();
    }

    private static void Write(Utf8JsonWriter writer, TappedEvent tapped)
    {
        writer.WriteStartObject();
        writer.WriteString("event"u8, tapped.Kind switch
        {
            TappedKind.Put => "put",
            TappedKind.Given => "given",
            TappedKind.Done => "done",
            TappedKind.Returned => "returned",
            _ => "ended",
        });
        MessageJson.WriteId(writer, "id"u8, tapped.Id);
        MessageJson.WriteTime(writer, "at"u8, tapped.At);
        if (tapped.Note is not null)
        {
            writer.WriteString("note"u8, tapped.Note);
        }

        if (tapped.Start is not null)
        {
            BodyStartJson.Write(writer, tapped.Start, tapped.BodyBytes);
            writer.WriteString("contentType"u8, tapped.ContentType);
        }

        if (tapped.Offset > 0)
        {
            writer.WriteNumber("offset"u8, tapped.Offset);
        }

        if (tapped.Priority > 0)
        {
            writer.WriteNumber("priority"u8, tapped.Priority);
        }

        MessageJson.WriteTime(writer, "availableAt"u8, tapped.AvailableAt);
        writer.WriteEndObject();
    }
}
