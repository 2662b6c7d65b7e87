using System.Text.Json;
using Microsoft.AspNetCore.Http;
using PushQueue.Queues;
using PushQueue.Transports;

namespace PushQueue.Dialects.Redisched;

/// <summary>The forms of redisched's answers.</summary>
internal static class RedischedAnswers
{
    public static JsonError NoSuchJob { get; } = JsonError.NotFound("There is no such job.");

    public static ValueTask<JsonError?> ResultAsync(HttpContext context, long result) =>
        JsonAnswers.JsonAsync(context, result, static (writer, result) =>
        {
            writer.WriteStartObject();
            writer.WriteNumber("result"u8, result);
            writer.WriteEndObject();
        });

    /// <summary>A job that was given out; null where no job was available.</summary>
    public static ValueTask<JsonError?> JobAsync(HttpContext context, Message? job) =>
        JsonAnswers.JsonAsync(context, job, static (writer, job) =>
        {
            writer.WriteStartObject();
            if (job is null)
            {
                writer.WriteNull("result"u8);
            }
            else
            {
                writer.WriteStartObject("result"u8);
                WriteIdAndBody(writer, job, "body"u8);
                writer.WriteEndObject();
            }

            writer.WriteEndObject();
        });

    public static ValueTask<JsonError?> SuccessAsync(HttpContext context, bool success) =>
        JsonAnswers.JsonAsync(context, success, static (writer, success) =>
        {
            writer.WriteStartObject();
            writer.WriteBoolean("success"u8, success);
            writer.WriteEndObject();
        });

    public static void WriteIdAndBody(Utf8JsonWriter writer, Message job, ReadOnlySpan<byte> bodyName)
    {
        MessageJson.WriteId(writer, "id"u8, job.Id);
        writer.WritePropertyName(bodyName);
        JsonAnswers.WriteBody(writer, job);
    }
}
