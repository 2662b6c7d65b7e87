using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace PushQueue.Client.Wire;

/// <summary>Writes the body of a batch: a JSON list of bodies, or of envelopes where a message has more than a JSON body.</summary>
internal static class BatchWriter
{
    private const int FirstBytes = 64 * 1024;

    private static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly JsonWriterOptions TrustingOptions = WriterOptions with { SkipValidation = true };

    /// <summary>Values that become JSON here, so nothing has to be checked. hot path: guarded by the bench row <c>client</c>.</summary>
    public static (ReadOnlyMemory<byte> Body, int Count) Write<T>(IEnumerable<T> values, JsonTypeInfo<T> type)
    {
        var bytes = new ArrayBufferWriter<byte>(FirstBytes);
        using var writer = new Utf8JsonWriter(bytes, TrustingOptions);
        var count = 0;
        writer.WriteStartArray();
        foreach (var value in values)
        {
            JsonSerializer.Serialize(writer, value, type);
            count++;
        }

        writer.WriteEndArray();
        writer.Flush();
        return (bytes.WrittenMemory, count);
    }

    /// <summary>Messages as envelopes. Throws <see cref="ArgumentException"/> where a body that says it is JSON is not.</summary>
    public static (ReadOnlyMemory<byte> Body, int Count) Write(IEnumerable<PutMessage> messages)
    {
        var bytes = new ArrayBufferWriter<byte>(FirstBytes);
        using var writer = new Utf8JsonWriter(bytes, WriterOptions);
        var count = 0;
        writer.WriteStartArray();
        foreach (var message in messages)
        {
            Write(writer, message, count++);
        }

        writer.WriteEndArray();
        writer.Flush();
        return (bytes.WrittenMemory, count);
    }

    private static void Write(Utf8JsonWriter writer, PutMessage message, int index)
    {
        writer.WriteStartObject();
        if (message.ContentType == PutMessage.JsonType)
        {
            WriteJson(writer, message, index);
        }
        else if (IsText(message))
        {
            writer.WriteString("body"u8, message.Body.Span);
            writer.WriteString("contentType"u8, message.ContentType);
        }
        else
        {
            writer.WriteBase64String("body"u8, message.Body.Span);
            writer.WriteString("encoding"u8, "base64"u8);
            writer.WriteString("contentType"u8, message.ContentType);
        }

        if (message.Options is { } options)
        {
            WriteOptions(writer, options);
        }

        writer.WriteEndObject();
    }

    /// <summary>A string whose content type is some kind of JSON would be taken for JSON; as bytes everything stays as it is.</summary>
    private static bool IsText(PutMessage message) =>
        message.ContentType.StartsWith("text/", StringComparison.OrdinalIgnoreCase)
        && !message.ContentType.Contains("json", StringComparison.OrdinalIgnoreCase)
        && System.Text.Unicode.Utf8.IsValid(message.Body.Span);

    private static void WriteJson(Utf8JsonWriter writer, PutMessage message, int index)
    {
        // The writer's own check ends at 64 levels.
        if (!JsonLimits.IsJson(message.Body.Span))
        {
            throw new ArgumentException($"The body of message {index} has the content type JSON but is not valid JSON.", nameof(message));
        }

        writer.WritePropertyName("body"u8);
        writer.WriteRawValue(message.Body.Span, skipInputValidation: true);
    }

    private static void WriteOptions(Utf8JsonWriter writer, PutOptions options)
    {
        if (options.WaitForAck is not null)
        {
            throw new ArgumentException("WaitForAck is for a single put.", nameof(options));
        }

        WriteText(writer, "id"u8, options.Id);
        WriteText(writer, "delay"u8, Duration.Format(options.Delay));
        WriteText(writer, "at"u8, options.At?.ToString("O", CultureInfo.InvariantCulture));
        WriteText(writer, "ttl"u8, Duration.Format(options.TimeToLive));
        WriteText(writer, "unique"u8, options.UniqueKey);
        WriteText(writer, "key"u8, options.Key);
        MessageHeaders.Write(writer, options.Headers);
        WriteText(writer, "retryDelay"u8, options.RetryDelay);
        WriteText(writer, "policy"u8, options.Policy);
        if (options.Priority is { } priority)
        {
            writer.WriteNumber("priority"u8, priority);
        }

        if (options.MaxAttempts is { } attempts)
        {
            writer.WriteNumber("maxAttempts"u8, attempts);
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
