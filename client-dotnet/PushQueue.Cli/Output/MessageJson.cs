using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using PushQueue.Client;
using PushQueue.Client.Wire;

namespace PushQueue.Cli.Output;

/// <summary>A message as one line of JSON: the body as JSON where it is that, as text, else as base64.</summary>
internal static class MessageJson
{
    private static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static ReadOnlySpan<byte> Write(Message message)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(bytes, WriterOptions);
        writer.WriteStartObject();
        writer.WriteString("queue"u8, message.Queue);
        writer.WriteString("id"u8, message.Id);
        WriteBody(writer, message);
        writer.WriteString("contentType"u8, message.ContentType);
        writer.WriteNumber("attempt"u8, message.Attempt);
        WriteText(writer, "key"u8, message.Key);
        MessageHeaders.Write(writer, message.Headers.Count > 0 ? message.Headers : null);
        WriteText(writer, "cursor"u8, message.Cursor);
        WriteText(writer, "receipt"u8, message.Receipt);
        WriteTime(writer, "enqueuedAt"u8, message.EnqueuedAt);
        WriteTime(writer, "leasedUntil"u8, message.LeasedUntil);
        if (message.Resting is { } resting)
        {
            writer.WriteString("state"u8, resting.State);
            WriteTime(writer, "availableAt"u8, resting.AvailableAt);
            WriteText(writer, "lastError"u8, resting.LastError);
            WriteText(writer, "lastWorker"u8, resting.LastWorker);
            if (resting.DeadLetter is { } dead)
            {
                writer.WriteString("deadLetterReason"u8, dead.Reason);
                writer.WriteString("deadLetterQueue"u8, dead.Queue);
                writer.WriteNumber("deadLetterAttempts"u8, dead.Attempts);
                WriteTime(writer, "deadLetterAt"u8, dead.At);
            }
        }

        writer.WriteEndObject();
        writer.Flush();
        return bytes.WrittenSpan;
    }

    private static void WriteBody(Utf8JsonWriter writer, Message message)
    {
        if (message.ContentType.StartsWith("application/json", StringComparison.OrdinalIgnoreCase) && JsonLimits.IsJson(message.Body.Span))
        {
            writer.WritePropertyName("body"u8);
            writer.WriteRawValue(OneLine(message.Body), skipInputValidation: true);
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

    /// <summary>Valid JSON has line ends between its tokens only, where a space means the same.</summary>
    private static ReadOnlySpan<byte> OneLine(ReadOnlyMemory<byte> json)
    {
        if (json.Span.IndexOfAny((byte)'\n', (byte)'\r') < 0)
        {
            return json.Span;
        }

        var line = json.ToArray();
        line.AsSpan().Replace((byte)'\n', (byte)' ');
        line.AsSpan().Replace((byte)'\r', (byte)' ');
        return line;
    }

    private static void WriteText(Utf8JsonWriter writer, ReadOnlySpan<byte> name, string? text)
    {
        if (text is not null)
        {
            writer.WriteString(name, text);
        }
    }

    private static void WriteTime(Utf8JsonWriter writer, ReadOnlySpan<byte> name, DateTimeOffset? time) =>
        WriteText(writer, name, time is { } given ? UtcTimeConverter.Format(given) : null);
}
