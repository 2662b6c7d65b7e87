using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using PushQueue.Queues;
using PushQueue.Security;
using PushQueue.Transports;

namespace PushQueue.Dialects.Presque;

/// <summary>/qb/{queue}: put many, take many.</summary>
internal sealed class PresqueBatches(IMessageBroker broker, QueuesOptions limits, QueueTime time)
{
    private const int CountDefault = 10;
    private const int CountMax = 1000;

    public static ValueTask<JsonError?> Refuse(HttpContext context) =>
        new(JsonError.BadRequest($"{context.Request.Method} is not supported in batch mode"));

    public async ValueTask<JsonError?> PutAsync(HttpContext context)
    {
        if (JsonError.First(
                PresqueRequest.Queue(context, out var queue),
                PresqueRequest.Delayed(context, time.GetUtcNow(), out var delayed)) is { } error)
        {
            return error;
        }

        var (json, bodyError) = await PresqueRequest.JsonAsync(context, limits.BatchBytesMax, ProblemType.BatchTooLarge);
        if (bodyError is not null)
        {
            return bodyError;
        }

        if (ReadJobs(json, out var ranges) is { } wrong)
        {
            return wrong;
        }

        // One job, and the announced length, were counted with the request.
        (context.User as Caller)?.Spend(Math.Max(0, ranges.Count - 1), 0);

        // Each an array of its own: a slice would keep the whole request alive as long as its last job.
        var jobs = ranges.ConvertAll(range => PresqueMessageFormat.ToMessage(json.AsSpan(range).ToArray(), delayed));
        var result = await broker.PutManyAsync(queue, jobs);
        return result.Ok ? JsonAnswers.Empty(context, StatusCodes.Status201Created) : PresqueAnswers.Of(result.Failure);
    }

    public async ValueTask<JsonError?> TakeAsync(HttpContext context)
    {
        if (JsonError.First(
                PresqueRequest.Queue(context, out var queue),
                PresqueRequest.Worker(context, out var worker),
                ReadCount(context, out var count)) is { } error)
        {
            return error;
        }

        var result = await broker.TakeAsync(
            queue,
            new TakeRequest(count, Worker: worker) { Pending = new HttpPendingTake(context) },
            context.RequestAborted);
        if (!result.Ok)
        {
            return PresqueAnswers.Of(result.Failure);
        }

        return result.Value.Count == 0 ? PresqueAnswers.NoJob : await JsonAnswers.JsonAsync(context, result.Value, WriteTexts);
    }

    /// <summary>Jobs as an array of strings, each the stored text of one.</summary>
    public static void WriteTexts(Utf8JsonWriter writer, IReadOnlyList<Message> messages)
    {
        writer.WriteStartArray();
        foreach (var message in messages)
        {
            writer.WriteStringValue(PresqueMessageFormat.ToText(message));
        }

        writer.WriteEndArray();
    }

    private static JsonError? ReadCount(HttpContext context, out int count)
    {
        count = CountDefault;
        if (PresqueRequest.Option(context, "batch_size", out var text) is { } doubled)
        {
            return doubled;
        }

        if (text is null)
        {
            return null;
        }

        if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var wanted) || wanted < 1)
        {
            return JsonError.BadRequest("batch_size must be a whole number from 1 on");
        }

        count = (int)Math.Min(wanted, CountMax);
        return null;
    }

    /// <summary>Where in the JSON each job stands. The JSON is valid.</summary>
    private static JsonError? ReadJobs(byte[] json, out List<Range> jobs)
    {
        jobs = [];
        var reader = new Utf8JsonReader(json, JsonBody.ReaderOptions);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            return PresqueAnswers.NotJobs;
        }

        var found = false;
        var fields = default(JsonFields);
        while (fields.Next(ref reader, out var name))
        {
            if (name != "jobs")
            {
                reader.Skip();
                continue;
            }

            if (reader.TokenType != JsonTokenType.StartArray)
            {
                return PresqueAnswers.NotJobs;
            }

            found = true;
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                var start = (int)reader.TokenStartIndex;
                reader.Skip();
                jobs.Add(start..(int)reader.BytesConsumed);
            }
        }

        return found && fields.Problem is null ? null : PresqueAnswers.NotJobs;
    }
}
