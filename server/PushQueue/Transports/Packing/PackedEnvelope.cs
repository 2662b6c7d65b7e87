using PushQueue.Delivery.Encoding;
using PushQueue.Queues;

namespace PushQueue.Transports.Packing;

/// <summary>
/// The envelope as a MessagePack map. It has the keys of <see cref="Envelope"/>, except <c>encoding</c>: bytes need none.
/// </summary>
internal static class PackedEnvelope
{
    public static void Write(PageWriter writer, in PushedMessage pushed)
    {
        var message = pushed.Message;
        var map = writer.Reserve(1);
        var count = 3;
        Pack.WriteText(writer, "queue"u8);
        Pack.WriteText(writer, message.Queue.Value);
        Pack.WriteText(writer, "id"u8);
        if (message.Id.IsNumber)
        {
            Pack.WriteDigits(writer, message.Id.Number);
        }
        else
        {
            Pack.WriteText(writer, message.Id.ToString());
        }

        Pack.WriteText(writer, "body"u8);
        var kind = WriteBody(writer, message.Body.Span, pushed.Kind);
        count += WriteDelivery(writer, pushed) + WriteFacts(writer, pushed, kind);

        // 12 fields are the most, so the head is one byte.
        writer.From(map)[0] = (byte)(Pack.EmptyMap | count);
    }

    /// <summary>
    /// The body alone: JSON as the value that it stands for, text as str, all else as bin. JSON that MessagePack cannot express is bytes,
    /// too. Returns how it was written.
    /// </summary>
    public static BodyKind WriteBody(PageWriter writer, ReadOnlySpan<byte> body, BodyKind kind)
    {
        switch (kind)
        {
            case BodyKind.Json or BodyKind.JsonLines when PackedJson.TryWrite(writer, BodyKinds.SkipMark(body)):
                return kind;
            case BodyKind.Text:
                Pack.WriteText(writer, body);
                return kind;
            default:
                Pack.WriteBytes(writer, body);
                return BodyKind.Binary;
        }
    }

    private static int WriteDelivery(PageWriter writer, in PushedMessage pushed)
    {
        var message = pushed.Message;
        var count = 0;
        if (message.Offset > 0)
        {
            count++;
            Pack.WriteText(writer, "offset"u8);
            Pack.WriteInteger(writer, message.Offset);
        }

        if (message.Attempt > 1 || !pushed.Receipt.IsNone)
        {
            count++;
            Pack.WriteText(writer, "attempt"u8);
            Pack.WriteInteger(writer, (long)message.Attempt);
        }

        if (!pushed.Receipt.IsNone)
        {
            const byte TextOf16 = 0xA0 | 16;
            count++;
            Pack.WriteText(writer, "receipt"u8);
            writer.Write(TextOf16);
            writer.WriteHex(pushed.Receipt.Value);
        }

        return count;
    }

    private static int WriteFacts(PageWriter writer, in PushedMessage pushed, BodyKind kind)
    {
        var message = pushed.Message;
        var count = 0;
        if (!BodyKinds.IsSelfEvident(message.ContentType, kind))
        {
            count++;
            Pack.WriteText(writer, "contentType"u8);
            Pack.WriteText(writer, message.ContentType);
        }

        if (message.Priority != 0)
        {
            count++;
            Pack.WriteText(writer, "priority"u8);
            Pack.WriteInteger(writer, (long)message.Priority);
        }

        if (message.Key is { } key)
        {
            count++;
            Pack.WriteText(writer, "key"u8);
            Pack.WriteText(writer, key);
        }

        if (message.Headers is { } headers)
        {
            count++;
            WriteHeaders(writer, headers);
        }

        if (message.TraceParent is { } traceParent)
        {
            count++;
            Pack.WriteText(writer, "traceparent"u8);
            Pack.WriteText(writer, traceParent);
        }

        if (pushed.Waited)
        {
            const byte TextOf24 = 0xA0 | 24;
            count++;
            Pack.WriteText(writer, "enqueuedAt"u8);
            writer.Write(TextOf24);
            writer.WriteTime(message.EnqueuedAt);
        }

        return count;
    }

    private static void WriteHeaders(PageWriter writer, MessageHeaders headers)
    {
        Pack.WriteText(writer, "headers"u8);
        var count = 0;
        foreach (var _ in headers)
        {
            count++;
        }

        Span<byte> head = stackalloc byte[5];
        head[0] = (byte)(Pack.EmptyMap | count);
        writer.Write(head[..(count <= Pack.ShortCountMax ? 1 : Pack.CountHead(head, Pack.EmptyMap, count))]);
        foreach (var header in headers)
        {
            Pack.WriteText(writer, header.Name);
            Pack.WriteText(writer, header.Value);
        }
    }
}
