using Microsoft.AspNetCore.Http;
using PushQueue.Queues;
using PushQueue.Security;
using PushQueue.Transports;
using PushQueue.Transports.Rest;

namespace PushQueue.Dialects.Presque;

/// <summary>/j, /status, /stats and /control: what queues hold and whether they give it out.</summary>
internal sealed class PresqueQueues(IMessageBroker broker, AccessControl access)
{
    private const int PageSize = 1000;
    private const int ControlBytesMax = 64 * 1024;

    /// <summary>Stored texts are shown up to this many, and up to what one page of the store holds in bytes.</summary>
    private const int TextsMax = 10_000;

    public async ValueTask<JsonError?> CountersAsync(HttpContext context)
    {
        if (PresqueRequest.Queue(context, out var queue) is { } error)
        {
            return error;
        }

        var info = await broker.GetQueueAsync(queue);
        return await JsonAnswers.JsonAsync(context, (queue, info), static (writer, state) =>
        {
            writer.WriteStartObject();
            writer.WriteString("queue_name"u8, state.queue.Value);
            writer.WriteNumber("job_count"u8, state.info?.Ready ?? 0);
            writer.WriteNumber("job_failed"u8, state.info?.Counters.Failed ?? 0);
            writer.WriteNumber("job_processed"u8, state.info?.Counters.Delivered ?? 0);
            writer.WriteEndObject();
        });
    }

    public async ValueTask<JsonError?> ListAsync(HttpContext context)
    {
        var caller = access.CallerOf(context);
        var names = new List<string>();
        string? after = null;
        do
        {
            var page = await broker.ListQueuesAsync(after, PageSize);
            names.AddRange(page.Queues.Where(info => caller.May(Permissions.Any, info.Name)).Select(static info => info.Name.Value));
            after = page.Next;
        }
        while (after is not null);

        return await JsonAnswers.JsonAsync(context, names, static (writer, names) =>
        {
            writer.WriteStartObject();
            writer.WriteStartArray("queues"u8);
            names.ForEach(writer.WriteStringValue);
            writer.WriteEndArray();
            writer.WriteNumber("size"u8, names.Count);
            writer.WriteEndObject();
        });
    }

    public async ValueTask<JsonError?> StatusAsync(HttpContext context)
    {
        if (JsonError.First(
                PresqueRequest.Queue(context, out var queue),
                PresqueRequest.Option(context, "with_desc", out var described)) is { } error)
        {
            return error;
        }

        var describes = described is not null and not "0";
        if (describes && access.CallerOf(context).WhyNot(AccessRule.Look.AnyOf, queue) is { } refusal)
        {
            return JsonError.Of(refusal);
        }

        var size = (await broker.GetQueueAsync(queue))?.Ready ?? 0;
        IReadOnlyList<Message>? jobs = null;
        if (describes)
        {
            var page = await broker.BrowseAsync(queue, MessageState.Ready, after: null, TextsMax);
            if (!page.Ok)
            {
                return PresqueAnswers.Of(page.Failure);
            }

            jobs = page.Value.Messages;
        }

        return await JsonAnswers.JsonAsync(context, (queue, size, jobs), static (writer, state) =>
        {
            writer.WriteStartObject();
            writer.WriteString("queue"u8, state.queue.Value);
            writer.WriteNumber("size"u8, state.size);
            if (state.jobs is not null)
            {
                writer.WritePropertyName("jobs"u8);
                PresqueBatches.WriteTexts(writer, state.jobs);
            }

            writer.WriteEndObject();
        });
    }

    public async ValueTask<JsonError?> ControlAsync(HttpContext context)
    {
        if (PresqueRequest.Queue(context, out var queue) is { } error)
        {
            return error;
        }

        var info = await broker.GetQueueAsync(queue);
        return await JsonAnswers.JsonAsync(context, (queue, info), static (writer, state) =>
        {
            writer.WriteStartObject();
            writer.WriteString("queue"u8, state.queue.Value);
            writer.WriteNumber("status"u8, state.info is { Settings.Stopped: true } ? 0 : 1);
            if (state.info?.NextDelayedAt is { } next)
            {
                // Rounded up: nothing is there before it.
                writer.WriteNumber("next_run_after"u8, (next.ToUnixTimeMilliseconds() + 999) / 1000);
            }

            writer.WriteEndObject();
        });
    }

    public async ValueTask<JsonError?> SetControlAsync(HttpContext context)
    {
        if (PresqueRequest.Queue(context, out var queue) is { } error)
        {
            return error;
        }

        var (body, problem) = await RequestBody.ReadAsync(context, ControlBytesMax, ProblemType.MessageTooLarge);
        if (problem is not null)
        {
            return JsonError.Of(problem);
        }

        if (ReadStatus(body, out var stopped) is { } wrong)
        {
            return wrong;
        }

        var result = await broker.UpdateSettingsAsync(queue, new QueueSettingsPatch { Stopped = stopped });
        return !result.Ok ? PresqueAnswers.Of(result.Failure) : await JsonAnswers.JsonAsync(context, queue, static (writer, queue) =>
        {
            writer.WriteStartObject();
            writer.WriteString("queue"u8, queue.Value);
            writer.WriteString("response"u8, "updated"u8);
            writer.WriteEndObject();
        });
    }

    private static JsonError? ReadStatus(byte[] body, out bool stopped)
    {
        stopped = false;
        if (body.Length == 0)
        {
            return PresqueAnswers.ContentMissing;
        }

        var json = JsonBody.SkipMark(body).Span;
        if (JsonBody.WhyNot(json) is { } whyNot)
        {
            return PresqueAnswers.NotJson(whyNot);
        }

        if (PresqueJson.Text(json, "status", out var status) is { } wrong)
        {
            return wrong;
        }

        status ??= "";
        stopped = status == "stop";
        return status is "stop" or "start" ? null : JsonError.BadRequest($"invalid status {OptionValues.Shown(status)}");
    }
}
