using PushQueue.Queues;

namespace PushQueue.Delivery.Encoding;

/// <summary>
/// The envelope, one JSON object on one line: queue, id and body always, the rest only where it says something.
/// </summary>
internal static class Envelope
{
    public static void Write(PageWriter writer, in PushedMessage pushed)
    {
        var message = pushed.Message;
        writer.Write("{\"queue\":"u8);
        writer.WriteJsonString(message.Queue.Value);
        writer.Write(",\"id\":"u8);
        if (message.Id.IsNumber)
        {
            writer.Write((byte)'"');
            writer.WriteNumber(message.Id.Number);
            writer.Write((byte)'"');
        }
        else
        {
            writer.WriteJsonString(message.Id.ToString());
        }

        writer.Write(",\"body\":"u8);
        WriteBody(writer, message.Body.Span, pushed.Kind);
        WriteFacts(writer, pushed);
        writer.Write((byte)'}');
    }

    /// <summary>The body as one JSON value.</summary>
    public static void WriteBody(PageWriter writer, ReadOnlySpan<byte> body, BodyKind kind)
    {
        switch (kind)
        {
            case BodyKind.Json:
                writer.Write(BodyKinds.SkipMark(body));
                break;
            case BodyKind.JsonLines:
                writer.WriteOneLine(BodyKinds.SkipMark(body));
                break;
            case BodyKind.Text:
                writer.WriteJsonString(body);
                break;
            default:
                writer.Write((byte)'"');
                writer.WriteBase64(body);
                writer.Write((byte)'"');
                break;
        }
    }

    private static void WriteFacts(PageWriter writer, in PushedMessage pushed)
    {
        var message = pushed.Message;
        if (pushed.Kind == BodyKind.Binary)
        {
            writer.Write(",\"encoding\":\"base64\""u8);
        }

        if (message.Offset > 0)
        {
            writer.Write(",\"offset\":"u8);
            writer.WriteNumber(message.Offset);
        }

        if (message.Attempt > 1 || !pushed.Receipt.IsNone)
        {
            writer.Write(",\"attempt\":"u8);
            writer.WriteNumber(message.Attempt);
        }

        if (!pushed.Receipt.IsNone)
        {
            writer.Write(",\"receipt\":\""u8);
            writer.WriteHex(pushed.Receipt.Value);
            writer.Write((byte)'"');
        }

        if (!BodyKinds.IsSelfEvident(message.ContentType, pushed.Kind))
        {
            writer.Write(",\"contentType\":"u8);
            writer.WriteJsonString(message.ContentType);
        }

        if (message.Priority != 0)
        {
            writer.Write(",\"priority\":"u8);
            writer.WriteNumber(message.Priority);
        }

        if (message.Key is { } key)
        {
            writer.Write(",\"key\":"u8);
            writer.WriteJsonString(key);
        }

        if (message.Headers is { } headers)
        {
            WriteHeaders(writer, headers);
        }

        if (message.TraceParent is { } traceParent)
        {
            writer.Write(",\"traceparent\":"u8);
            writer.WriteJsonString(traceParent);
        }

        if (pushed.Waited)
        {
            writer.Write(",\"enqueuedAt\":\""u8);
            writer.WriteTime(message.EnqueuedAt);
            writer.Write((byte)'"');
        }
    }

    private static void WriteHeaders(PageWriter writer, MessageHeaders headers)
    {
        var mark = ",\"headers\":{"u8;
        foreach (var header in headers)
        {
            writer.Write(mark);
            writer.WriteJsonString(header.Name);
            writer.Write((byte)':');
            writer.WriteJsonString(header.Value);
            mark = ","u8;
        }

        writer.Write((byte)'}');
    }

    /// <param name="writer">Where to.</param>
    /// <param name="queue">Whose messages were missed.</param>
    /// <param name="gap">Which.</param>
    /// <param name="position">The name of the field that tells where the client is now.</param>
    public static void WriteGap(PageWriter writer, QueueName queue, in Gap gap, ReadOnlySpan<byte> position)
    {
        writer.Write("{\"event\":\"gap\",\"queue\":"u8);
        writer.WriteJsonString(queue.Value);
        writer.Write(",\"from\":"u8);
        WriteNumberOrNull(writer, gap.From);
        writer.Write(",\"to\":"u8);
        WriteNumberOrNull(writer, gap.To);
        writer.Write(",\"count\":"u8);
        WriteNumberOrNull(writer, gap.Count);
        writer.Write(",\"cause\":\""u8);
        writer.Write(gap.Cause switch
        {
            GapCause.Expired => "expired\""u8,
            GapCause.Overflow => "overflow\""u8,
            _ => "reset\""u8,
        });
        WriteCursor(writer, gap.Cursor, position);
        writer.Write((byte)'}');
    }

    public static void WriteOpening(PageWriter writer, QueueName queue, in Opening opening)
    {
        writer.Write("{\"event\":\"subscribed\",\"queue\":"u8);
        writer.WriteJsonString(queue.Value);
        if (opening.Cursor is { } cursor)
        {
            WriteCursor(writer, cursor, "cursor"u8);
        }

        if (opening.Place is { } place)
        {
            writer.Write(",\"token\":"u8);
            writer.WriteJsonString(place.Token);
            writer.Write(",\"resumed\":"u8);
            writer.WriteNumber(place.Resumed);
            if (place.Outcome is not null)
            {
                writer.Write(",\"place\":"u8);
                writer.WriteJsonString(place.Outcome);
            }
        }

        writer.Write((byte)'}');
    }

    /// <summary>Where the client is, although it got no message.</summary>
    public static void WritePosition(PageWriter writer, QueueName queue, in Cursor cursor)
    {
        writer.Write("{\"event\":\"cursor\",\"queue\":"u8);
        writer.WriteJsonString(queue.Value);
        WriteCursor(writer, cursor, "cursor"u8);
        writer.Write((byte)'}');
    }

    /// <summary>The opening of a stream over many queues.</summary>
    public static void WriteOpening(PageWriter writer, IReadOnlyList<QueueName> queues, string cursor)
    {
        writer.Write("{\"event\":\"subscribed\",\"queues\":["u8);
        for (var i = 0; i < queues.Count; i++)
        {
            writer.Write(i == 0 ? default : ","u8);
            writer.WriteJsonString(queues[i].Value);
        }

        writer.Write("],\"cursor\":\""u8);
        writer.WriteUtf8(cursor);
        writer.Write("\"}"u8);
    }

    /// <summary>A queue has joined a stream over many.</summary>
    public static void WriteJoined(PageWriter writer, QueueName queue, in Cursor position)
    {
        writer.Write("{\"event\":\"subscribed\",\"queue\":"u8);
        writer.WriteJsonString(queue.Value);
        WriteCursor(writer, position, "position"u8);
        writer.Write((byte)'}');
    }

    /// <summary>Where a stream over many queues is.</summary>
    public static void WriteCheckpoint(PageWriter writer, string cursor)
    {
        writer.Write("{\"event\":\"cursor\",\"cursor\":\""u8);
        writer.WriteUtf8(cursor);
        writer.Write("\"}"u8);
    }

    private static void WriteCursor(PageWriter writer, in Cursor cursor, ReadOnlySpan<byte> name)
    {
        writer.Write(",\""u8);
        writer.Write(name);
        writer.Write("\":\""u8);
        writer.WriteUtf8(cursor.ToString());
        writer.Write((byte)'"');
    }

    public static void WriteCancel(PageWriter writer, QueueName queue, MessageId id)
    {
        writer.Write("{\"event\":\"cancel\",\"queue\":"u8);
        writer.WriteJsonString(queue.Value);
        writer.Write(",\"id\":"u8);
        writer.WriteJsonString(id.ToString());
        writer.Write((byte)'}');
    }

    /// <param name="writer">Where to.</param>
    /// <param name="queue">The queue of a subscription that ends; null where the whole connection does.</param>
    /// <param name="reason">Why.</param>
    /// <param name="reconnectMs">When to connect again; 0 for not at all.</param>
    public static void WriteClose(PageWriter writer, QueueName? queue, CloseReason reason, int reconnectMs)
    {
        writer.Write("{\"event\":\"close\","u8);
        if (queue is { } name)
        {
            writer.Write("\"queue\":"u8);
            writer.WriteJsonString(name.Value);
            writer.Write((byte)',');
        }

        writer.Write("\"code\":"u8);
        writer.WriteJsonString(reason.Name);
        writer.Write(",\"reason\":"u8);
        writer.WriteJsonString(reason.Sentence);
        writer.Write(reason.Reconnect ? ",\"reconnect\":true"u8 : ",\"reconnect\":false"u8);
        if (reconnectMs > 0)
        {
            writer.Write(",\"reconnectMs\":"u8);
            writer.WriteNumber(reconnectMs);
        }

        writer.Write((byte)'}');
    }

    private static void WriteNumberOrNull(PageWriter writer, long value)
    {
        if (value == 0)
        {
            writer.Write("null"u8);
        }
        else
        {
            writer.WriteNumber(value);
        }
    }
}
