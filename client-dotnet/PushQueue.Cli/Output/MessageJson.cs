using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using PushQueue.Client;

namespace PushQueue.Cli.Output;

/// <summary>A message as one line of JSON: the body as JSON where it is that, as text, else as base64.</summary>
internal static class MessageJson
{
    public static ReadOnlySpan<byte> Write(Message message)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(bytes, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        writer.WriteStartObject();
        writer.WriteString("queue"u8, message.Queue);
        writer.WriteString("id"u8, message.Id);
        WriteBody(writer, message);
        writer.WriteString("contentType"u8, message.ContentType);
        writer.WriteNumber("attempt"u8, message.Attempt);
        WriteText(writer, "cursor"u8, message.Cursor);
        WriteText(writer, "receipt"u8, message.Receipt);
        WriteText(writer, "enqueuedAt"u8, message.EnqueuedAt?.ToString("O"));
        WriteText(writer, "leasedUntil"u8, message.LeasedUntil?.ToString("O"));
        if (message.Resting is { } resting)
        {
            writer.WriteString("state"u8, resting.State);
            WriteText(writer, "availableAt"u8, resting.AvailableAt?.ToString("O"));
            WriteText(writer, "lastError"u8, resting.LastError);
            WriteText(writer, "lastWorker"u8, resting.LastWorker);
            if (resting.DeadLetter is { } dead)
            {
                writer.WriteString("deadLetterReason"u8, dead.Reason);
                writer.WriteString("deadLetterQueue"u8, dead.Queue);
                writer.WriteNumber("deadLetterAttempts"u8, dead.Attempts);
                WriteText(writer, "deadLetterAt"u8, dead.At?.ToString("O"));
            }
        }

        writer.WriteEndObject();
        writer.Flush();
        return bytes.WrittenSpan;
    }

    private static void WriteBody(Utf8JsonWriter writer, Message message)
    {
        if (message.ContentType.StartsWith("application/json", StringComparison.OrdinalIgnoreCase) && IsJson(message.Body.Span))
        {
            writer.WritePropertyName("body"u8);
            writer.WriteRawValue(message.Body.Span, skipInputValidation: true);
        }
        else if (System.Text.Unicode.Utf8.IsValid(message.Body.Span))
        {
            writer.WriteString("body"u8, message.Body.Span);
        }
        else
        {
            writer.WriteBase64String("body"u8, message.Body.Span);
            writer.WriteString("encoding"u8, "base64"u8);
        }
    }

    private static bool IsJson(ReadOnlySpan<byte> body)
    {
        var reader = new Utf8JsonReader(body);
        return JsonDocument.TryParseValue(ref reader, out _);
    }

    private static void WriteText(Utf8JsonWriter writer, ReadOnlySpan<byte> name, string? text)
    {
        if (text is not null)
        {
            writer.WriteString(name, text);
        }
    }
}
