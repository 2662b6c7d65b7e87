using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using PushQueue.Client.Http;

namespace PushQueue.Client.Wire;

/// <summary>Reads the envelopes in which messages come. hot path: guarded by the bench row <c>client</c>.</summary>
internal static class EnvelopeReader
{
    /// <summary>The message, or null where the object is an event or an answer.</summary>
    /// <param name="json">One JSON object.</param>
    /// <param name="queue">The queue from which a message probably is; saves making its name again.</param>
    /// <exception cref="JsonException">It is not a JSON object. No message that the server can store makes this throw.</exception>
    public static Message? Read(ReadOnlySpan<byte> json, string? queue = null)
    {
        var reader = new Utf8JsonReader(json, JsonLimits.Reader);
        reader.Read();
        return Read(ref reader, json, queue);
    }

    /// <summary>The messages of a JSON list, or of the list in the field <c>messages</c> of an object, and the field <c>next</c> of
    /// that.</summary>
    public static (List<Message> Messages, string? Next) ReadMany(ReadOnlySpan<byte> json)
    {
        var messages = new List<Message>();
        string? next = null;
        var reader = new Utf8JsonReader(json, JsonLimits.Reader);
        reader.Read();
        if (reader.TokenType == JsonTokenType.StartArray)
        {
            ReadList(ref reader, json, messages);
            return (messages, next);
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("messages"u8))
            {
                reader.Read();
                ReadList(ref reader, json, messages);
            }
            else if (reader.ValueTextEquals("next"u8))
            {
                reader.Read();
                next = LenientText.Read(ref reader);
            }
            else
            {
                reader.Read();
                reader.Skip();
            }
        }

        return (messages, next);
    }

    private static void ReadList(ref Utf8JsonReader reader, ReadOnlySpan<byte> json, List<Message> messages)
    {
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (Read(ref reader, json, queue: null) is { } message)
            {
                messages.Add(message);
            }
        }
    }

    private static Message? Read(ref Utf8JsonReader reader, ReadOnlySpan<byte> json, string? queue)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw new JsonException("A message, an event or an answer is a JSON object.");
        }

        var start = (int)reader.TokenStartIndex;
        Message? message = null;
        var body = default(Range?);
        var isBase64 = false;
        var rests = false;
        string? contentType = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (message is null && !reader.ValueTextEquals("queue"u8))
            {
                // Only an envelope begins with its queue and goes on with an id.
                return SkipRest(ref reader);
            }

            if (reader.ValueTextEquals("body"u8))
            {
                reader.Read();
                var from = (int)reader.TokenStartIndex;
                reader.Skip();
                body = from..(int)reader.BytesConsumed;
            }
            else if (reader.ValueTextEquals("queue"u8))
            {
                reader.Read();
                message = new Message { Queue = queue is not null && IsText(ref reader, queue) ? queue : TextOrEmpty(ref reader) };
            }
            else if (reader.ValueTextEquals("contentType"u8))
            {
                reader.Read();
                contentType = LenientText.Read(ref reader);
            }
            else if (reader.ValueTextEquals("encoding"u8))
            {
                reader.Read();
                isBase64 = true;
            }
            else if (reader.ValueTextEquals("state"u8))
            {
                rests = true;
                reader.Read();
            }
            else
            {
                ReadFact(ref reader, message!);
            }
        }

        if (message is null || body is not { } range)
        {
            return null;
        }

        if (rests)
        {
            message.Resting = ReadResting(json[start..(int)reader.BytesConsumed]);
        }

        SetBody(message, json[range], contentType, isBase64);
        return message;
    }

    /// <summary>An empty one where a newer server says it in another way: the message itself is more important.</summary>
    private static RestingMessage ReadResting(ReadOnlySpan<byte> json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, ClientJson.Default.RestingMessage) ?? new RestingMessage();
        }
        catch (JsonException)
        {
            return new RestingMessage();
        }
    }

    /// <summary>A field that is not what this version expects is left out: a message is never lost for one of its facts.</summary>
    private static void ReadFact(ref Utf8JsonReader reader, Message message)
    {
        if (reader.ValueTextEquals("id"u8))
        {
            reader.Read();
            message.Id = TextOrEmpty(ref reader);
        }
        else if (reader.ValueTextEquals("offset"u8))
        {
            message.Offset = ReadNumber(ref reader);
        }
        else if (reader.ValueTextEquals("receipt"u8))
        {
            reader.Read();
            message.Receipt = LenientText.Read(ref reader);
        }
        else if (reader.ValueTextEquals("attempt"u8))
        {
            message.Attempt = (int)ReadNumber(ref reader);
        }
        else if (reader.ValueTextEquals("priority"u8))
        {
            message.Priority = (int)ReadNumber(ref reader);
        }
        else if (reader.ValueTextEquals("key"u8))
        {
            reader.Read();
            message.Key = LenientText.Read(ref reader);
        }
        else if (reader.ValueTextEquals("headers"u8))
        {
            reader.Read();
            message.Headers = MessageHeaders.Read(ref reader);
        }
        else if (reader.ValueTextEquals("enqueuedAt"u8))
        {
            message.EnqueuedAt = ReadTime(ref reader);
        }
        else if (reader.ValueTextEquals("leasedUntil"u8))
        {
            message.LeasedUntil = ReadTime(ref reader);
        }
        else
        {
            // A field of a newer server.
            reader.Read();
            reader.Skip();
        }
    }

    private static bool IsText(ref Utf8JsonReader reader, [NotNullWhen(true)] string? text) =>
        text is not null && reader.TokenType == JsonTokenType.String && reader.ValueTextEquals(text);

    private static string TextOrEmpty(ref Utf8JsonReader reader) => LenientText.Read(ref reader) ?? "";

    private static long ReadNumber(ref Utf8JsonReader reader)
    {
        reader.Read();
        var isNumber = reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out _);
        if (isNumber)
        {
            return reader.GetInt64();
        }

        reader.Skip();
        return 0;
    }

    private static DateTimeOffset? ReadTime(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.String && reader.TryGetDateTimeOffset(out var time))
        {
            return time;
        }

        reader.Skip();
        return null;
    }

    private static Message? SkipRest(ref Utf8JsonReader reader)
    {
        var depth = reader.CurrentDepth - 1;
        while (reader.Read() && (reader.TokenType != JsonTokenType.EndObject || reader.CurrentDepth > depth))
        {
            // To the end of this object; more may follow in a list.
        }

        return null;
    }

    private static void SetBody(Message message, ReadOnlySpan<byte> value, string? contentType, bool isBase64)
    {
        if (value[0] != (byte)'"')
        {
            message.Body = value.ToArray();
            message.ContentType = contentType ?? PutMessage.JsonType;
            return;
        }

        if (!isBase64 && (contentType is null || IsJson(contentType)))
        {
            // Text always comes with its content type.
            message.Body = value.ToArray();
            message.ContentType = contentType ?? PutMessage.JsonType;
            return;
        }

        message.Body = isBase64 ? FromBase64(value) : LenientText.Unescape(value);
        message.ContentType = contentType ?? PutMessage.BytesType;
    }

    /// <summary>The bytes; the text as it came where it is not base64, as nothing better is known of it.</summary>
    private static byte[] FromBase64(ReadOnlySpan<byte> value)
    {
        var reader = new Utf8JsonReader(value);
        reader.Read();
        return reader.TryGetBytesFromBase64(out var bytes) ? bytes : LenientText.Unescape(value);
    }

    private static bool IsJson(string contentType)
    {
        var end = contentType.IndexOf(';', StringComparison.Ordinal);
        var type = (end < 0 ? contentType : contentType.AsSpan(0, end)).Trim();
        return type.Equals(PutMessage.JsonType, StringComparison.OrdinalIgnoreCase)
            || type.EndsWith("+json", StringComparison.OrdinalIgnoreCase);
    }
}
