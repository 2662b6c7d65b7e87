using System.Text.Json;
using PushQueue.Delivery.Encoding;
using PushQueue.Queues;
using PushQueue.Transports.Json;

namespace PushQueue.Transports;

/// <summary>The envelope of a message: queue, id and body always, the rest only where it says something.</summary>
internal static class MessageJson
{
    /// <summary>A message on its way to a consumer.</summary>
    public static void WriteEnvelope(Utf8JsonWriter writer, Message message)
    {
        writer.WriteStartObject();
        WriteFacts(writer, message);
        writer.WriteEndObject();
    }

    public static void WriteEnvelope(Utf8JsonWriter writer, in Lease lease)
    {
        writer.WriteStartObject();
        WriteFacts(writer, lease.Message);
        writer.WriteString("receipt"u8, lease.Receipt.ToString());
        WriteTime(writer, "leasedUntil"u8, lease.Until);
        writer.WriteEndObject();
    }

    /// <summary>
    /// A message that is looked at where it rests: its envelope and where it is; instead of the body only its first bytes, where a preview
    /// of so many bytes is asked for.
    /// </summary>
    public static void WriteLook(Utf8JsonWriter writer, Message message, int? previewBytes = null) =>
        WriteLook(writer, message, message.State, previewBytes);

    /// <summary>With the state by which the message was listed; null is history.</summary>
    public static void WriteLook(Utf8JsonWriter writer, Message message, MessageState? state, int? previewBytes)
    {
        writer.WriteStartObject();
        WriteFacts(writer, message, previewBytes);
        writer.WriteString("state"u8, MessageStates.NameOf(state));
        if (state == MessageState.Delayed)
        {
            WriteTime(writer, "availableAt"u8, message.AvailableAt);
        }

        WriteTime(writer, "expiresAt"u8, message.ExpiresAt);
        WriteTime(writer, "leasedUntil"u8, message.LeasedUntil);
        WriteText(writer, "unique"u8, message.UniqueKey);
        WriteText(writer, "lastError"u8, message.LastError);
        WriteText(writer, "lastWorker"u8, message.LastWorker);
        if (message.Looks > 0)
        {
            writer.WriteNumber("looks"u8, message.Looks);
        }

        if (message.DeadLetter is { } dead)
        {
            writer.WriteStartObject("deadLetter"u8);
            writer.WriteString("queue"u8, dead.Source.Value);
            writer.WriteString("reason"u8, dead.Reason);
            writer.WriteNumber("attempts"u8, dead.Attempts);
            WriteTime(writer, "at"u8, dead.At);
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
    }

    public static void WriteTime(Utf8JsonWriter writer, ReadOnlySpan<byte> name, DateTimeOffset? time)
    {
        if (time is { } value)
        {
            writer.WriteString(name, TimeConverter.Format(value));
        }
    }

    public static void WriteId(Utf8JsonWriter writer, ReadOnlySpan<byte> name, MessageId id)
    {
        writer.WritePropertyName(name);
        MessageIdConverter.Write(writer, id);
    }

    private static void WriteFacts(Utf8JsonWriter writer, Message message, int? previewBytes = null)
    {
        writer.WriteString("queue"u8, message.Queue.Value);
        WriteId(writer, "id"u8, message.Id);
        var isSelfEvident = false;
        if (previewBytes is { } bytes)
        {
            WriteStart(writer, message.Body.Span, bytes);
        }
        else
        {
            WriteBody(writer, message, out isSelfEvident);
        }

        if (message.Offset > 0)
        {
            writer.WriteNumber("offset"u8, message.Offset);
        }

        if (message.Attempt > 0)
        {
            writer.WriteNumber("attempt"u8, message.Attempt);
        }

        if (!isSelfEvident)
        {
            writer.WriteString("contentType"u8, message.ContentType);
        }

        if (message.Priority != 0)
        {
            writer.WriteNumber("priority"u8, message.Priority);
        }

        WriteText(writer, "key"u8, message.Key);
        MessageHeadersJson.Write(writer, message.Headers);
        WriteTime(writer, "enqueuedAt"u8, message.EnqueuedAt);
        WriteText(writer, "traceparent"u8, message.TraceParent);
    }

    private static void WriteStart(Utf8JsonWriter writer, ReadOnlySpan<byte> body, int bytesMax)
    {
        var start = BodyStart.Of(body[..Math.Min(bytesMax, body.Length)], body.Length);
        writer.WriteString("start"u8, start.Text);
        if (start.IsBase64)
        {
            writer.WriteString("encoding"u8, "base64"u8);
        }

        writer.WriteNumber("bytes"u8, body.Length);
    }

    /// <summary>As JSON where the content type says so and the bytes agree; as a string where it is text; else base64.</summary>
    private static void WriteBody(Utf8JsonWriter writer, Message message, out bool isSelfEvident)
    {
        var body = message.Body.Span;
        var kind = BodyKinds.Of(message);
        isSelfEvident = BodyKinds.IsSelfEvident(message.ContentType, kind);
        writer.WritePropertyName("body"u8);
        if (kind == BodyKind.Binary)
        {
            writer.WriteBase64StringValue(body);
            writer.WriteString("encoding"u8, "base64"u8);
        }
        else if (kind == BodyKind.Text)
        {
            writer.WriteStringValue(body);
        }
        else
        {
            writer.WriteRawValue(BodyKinds.SkipMark(body), skipInputValidation: true);
        }
    }

    private static void WriteText(Utf8JsonWriter writer, ReadOnlySpan<byte> name, string? text)
    {
        if (text is not null)
        {
            writer.WriteString(name, text);
        }
    }
}
