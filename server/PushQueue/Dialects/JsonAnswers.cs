using System.Text.Json;
using Microsoft.AspNetCore.Http;
using PushQueue.Delivery.Encoding;
using PushQueue.Queues;
using PushQueue.Transports.Json;
using PushQueue.Transports;

namespace PushQueue.Dialects;

/// <summary>The answers of the dialects that speak JSON only: every one of them says so, empty ones too.</summary>
internal static class JsonAnswers
{
    public const string ContentType = "application/json";

    /// <summary>Turns a handler that may return an error into one that answers it.</summary>
    public static RequestDelegate Handle(JsonHandler handler) => async context =>
    {
        if (await handler(context) is { } error)
        {
            await ErrorAsync(context, error.Status, error.Text);
        }
    };

    /// <summary>Answers with the JSON that <paramref name="write"/> writes; reports no error.</summary>
    public static async ValueTask<JsonError?> JsonAsync<T>(HttpContext context, T value, Action<Utf8JsonWriter, T> write)
    {
        await BytesAsync(context, ToBytes(value, write));
        return null;
    }

    public static ValueTask BytesAsync(HttpContext context, ReadOnlyMemory<byte> json) =>
        RestAnswers.BytesAsync(context, StatusCodes.Status200OK, ContentType, json);

    /// <summary>Answers without a body; reports no error.</summary>
    public static JsonError? Empty(HttpContext context, int status)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = ContentType;
        if (status != StatusCodes.Status204NoContent)
        {
            context.Response.ContentLength = 0;
        }

        return null;
    }

    public static Task ErrorAsync(HttpContext context, int status, string text)
    {
        RestAnswers.SayWhenToRetry(context, status);
        var json = ToBytes(text, static (writer, text) =>
        {
            writer.WriteStartObject();
            writer.WriteString("error"u8, text);
            writer.WriteEndObject();
        });
        return RestAnswers.BytesAsync(context, status, ContentType, json).AsTask();
    }

    public static byte[] ToBytes<T>(T value, Action<Utf8JsonWriter, T> write)
    {
        var json = JsonBuffer.Rent();
        write(json.Writer, value);
        return json.Finish();
    }

    /// <summary>A body as a JSON value: itself where it is JSON, a string where it is text, else base64.</summary>
    public static void WriteBody(Utf8JsonWriter writer, Message message)
    {
        switch (BodyKinds.Of(message))
        {
            case BodyKind.Binary:
                writer.WriteBase64StringValue(message.Body.Span);
                break;
            case BodyKind.Text:
                writer.WriteStringValue(message.Body.Span);
                break;
            default:
                writer.WriteRawValue(BodyKinds.SkipMark(message.Body.Span), skipInputValidation: true);
                break;
        }
    }
}
