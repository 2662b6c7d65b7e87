using System.Text.Json;
using Microsoft.AspNetCore.Http;
using PushQueue.Queues;
using PushQueue.Security;
using PushQueue.Transports;
using PushQueue.Transports.Rest;

namespace PushQueue.Dialects.Presque;

/// <summary>/w: workers that register, and what they did.</summary>
internal sealed class PresqueWorkers(IMessageBroker broker, WorkerRegistry workers, AccessControl access)
{
    /// <summary>With one of these on a queue one sees who works on it.</summary>
    public const Permissions Sees = Permissions.Take | Permissions.Listen | Permissions.Manage;

    private const int BodyBytesMax = 64 * 1024;

    public async ValueTask<JsonError?> RegisterAsync(HttpContext context)
    {
        var (queue, worker, error) = await ReadAsync(context);
        if (error is not null)
        {
            return error;
        }

        workers.Register(queue, worker);
        return JsonAnswers.Empty(context, StatusCodes.Status201Created);
    }

    public async ValueTask<JsonError?> UnregisterAsync(HttpContext context)
    {
        var (queue, worker, error) = await ReadAsync(context);
        if (error is not null)
        {
            return error;
        }

        _ = workers.Forget(queue, worker);
        return JsonAnswers.Empty(context, StatusCodes.Status204NoContent);
    }

    public async ValueTask<JsonError?> ShowAsync(HttpContext context)
    {
        if (JsonError.First(
                PresqueRequest.Option(context, "queue_name", out var queueName),
                PresqueRequest.Option(context, "worker_id", out var worker)) is { } error)
        {
            return error;
        }

        if (queueName is not null)
        {
            return QueueName.TryParse(queueName, out var queue, out var whyNot)
                ? await ShowQueueAsync(context, queue)
                : JsonError.BadRequest(whyNot);
        }

        return worker is null ? await ShowAllAsync(context) : await ShowWorkerAsync(context, worker);
    }

    private ValueTask<JsonError?> ShowAllAsync(HttpContext context)
    {
        var caller = access.CallerOf(context);
        return JsonAnswers.JsonAsync(
            context, workers.List().Where(worker => IsSeen(worker, caller)).Select(static worker => worker.Name), WriteNames);
    }

    private async ValueTask<JsonError?> ShowWorkerAsync(HttpContext context, string name) =>
        workers.Find(name) is not { } worker || !IsSeen(worker, access.CallerOf(context))
            ? JsonError.NotFound("worker is unknown")
            : await JsonAnswers.JsonAsync(context, worker, static (writer, worker) =>
            {
                writer.WriteStartObject();
                writer.WriteString("worker_id"u8, worker.Name);
                writer.WriteNumber("started_at"u8, worker.Since.ToUnixTimeSeconds());
                writer.WriteNumber("processed"u8, worker.Processed);
                writer.WriteNumber("failed"u8, worker.Failed);
                writer.WriteEndObject();
            });

    private async ValueTask<JsonError?> ShowQueueAsync(HttpContext context, QueueName queue)
    {
        if (access.CallerOf(context).WhyNot(Sees, queue) is { } refusal)
        {
            return JsonError.Of(refusal);
        }

        var counters = (await broker.GetQueueAsync(queue))?.Counters ?? new QueueCounters();
        var own = workers.Registered(queue);
        return await JsonAnswers.JsonAsync(context, (queue, counters, own), static (writer, state) =>
        {
            writer.WriteStartObject();
            writer.WriteString("queue_name"u8, state.queue.Value);
            writer.WritePropertyName("workers_list"u8);
            WriteNames(writer, state.own);
            writer.WriteNumber("processed"u8, state.counters.Delivered);
            writer.WriteNumber("failed"u8, state.counters.Failed);
            writer.WriteEndObject();
        });
    }

    /// <summary>A worker belongs to its queues: a caller that may use one of them sees it.</summary>
    public static bool IsSeen(WorkerInfo worker, Caller caller) =>
        caller.Key is null || worker.Queues.Any(queue => caller.May(Sees, queue));

    private static void WriteNames(Utf8JsonWriter writer, IEnumerable<string> names)
    {
        writer.WriteStartArray();
        foreach (var name in names)
        {
            writer.WriteStringValue(name);
        }

        writer.WriteEndArray();
    }

    /// <summary>The worker in the header, the query string or a JSON body.</summary>
    private static async ValueTask<(QueueName Queue, string Worker, JsonError? Error)> ReadAsync(HttpContext context)
    {
        if (JsonError.First(PresqueRequest.Queue(context, out var queue), PresqueRequest.Worker(context, out var worker)) is { } error)
        {
            return (default, "", error);
        }

        if (worker is null)
        {
            var (body, problem) = await RequestBody.ReadAsync(context, BodyBytesMax, ProblemType.MessageTooLarge);
            if (problem is not null)
            {
                return (default, "", JsonError.Of(problem));
            }

            var json = JsonBody.SkipMark(body);
            if (json.Length > 0 && JsonBody.WhyNot(json.Span) is { } whyNot)
            {
                return (default, "", PresqueAnswers.NotJson(whyNot));
            }

            if (json.Length > 0 && PresqueJson.Text(json.Span, "worker_id", out worker) is { } wrong)
            {
                return (default, "", wrong);
            }
        }

        return string.IsNullOrEmpty(worker)
            ? (default, "", PresqueAnswers.WorkerMissing)
            : (queue, worker, PresqueRequest.CheckText("worker_id", worker));
    }
}
