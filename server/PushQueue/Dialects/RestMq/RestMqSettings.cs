using System.Text.Json;
using Microsoft.AspNetCore.Http;
using PushQueue.Diagnostics;
using PushQueue.Queues;
using PushQueue.Transports.Json;
using PushQueue.Transports;

namespace PushQueue.Dialects.RestMq;

/// <summary><c>/p</c> (policy), <c>/control</c> (start and stop) and <c>/stats</c>.</summary>
internal sealed class RestMqSettings(IMessageBroker broker, RestMqQueues queues, NodeStatistics node)
{
    private const int ArgumentBytesMax = 4096;

    public async Task GetPolicyAsync(HttpContext context)
    {
        if (RestMqQueues.Read(context, out var queue, out var callback) is { } problem)
        {
            await RestMqAnswers.RefuseAsync(context, problem);
            return;
        }

        var policy = (await broker.GetQueueAsync(queue))?.Settings.Policy;
        await RestMqAnswers.JsonAsync(context, callback, json =>
        {
            json.WriteStartObject();
            json.WriteString("queue"u8, queue.Value);
            json.WriteString("value"u8, policy is { } given ? QueueWords.Policy(given) : "unknown");
            json.WriteEndObject();
        });
    }

    public async Task SetPolicyAsync(HttpContext context)
    {
        var (queue, callback, text, problem) = await ReadAsync(context, "policy", "policy=roundrobin or policy=broadcast");
        if (problem is not null)
        {
            await RestMqAnswers.RefuseAsync(context, problem);
            return;
        }

        if (OptionValues.Policy(text, out var policy) is not null)
        {
            await RestMqAnswers.JsonAsync(context, callback, static json => json.WriteNullValue());
            return;
        }

        var result = await broker.UpdateSettingsAsync(queue, new QueueSettingsPatch { Policy = policy });
        await (result.Ok
            ? RestMqAnswers.JsonAsync(context, callback, static json => json.WriteStringValue("OK"u8))
            : RestMqAnswers.RefuseAsync(context, ProblemDetailsMapper.ToProblem(result)));
    }

    public async Task GetStatusAsync(HttpContext context)
    {
        if (RestMqQueues.Read(context, out var queue, out var callback) is { } problem)
        {
            await RestMqAnswers.RefuseAsync(context, problem);
            return;
        }

        var stopped = (await broker.GetQueueAsync(queue))?.Settings.Stopped ?? false;
        await RestMqAnswers.JsonAsync(context, callback, json =>
        {
            json.WriteStartObject();
            json.WriteString("redis"u8, StoreOf(node));
            json.WriteString("queue"u8, queue.Value);
            json.WritePropertyName("status"u8);
            WriteStatus(json, queue, stopped);
            json.WriteEndObject();
        });
    }

    public async Task SetStatusAsync(HttpContext context)
    {
        var (queue, callback, text, problem) = await ReadAsync(context, "status", "status=start or status=stop");
        if (problem is not null)
        {
            await RestMqAnswers.RefuseAsync(context, problem);
            return;
        }

        if (text is not ("start" or "stop"))
        {
            await RestMqAnswers.JsonAsync(context, callback, json =>
            {
                json.WriteStartObject();
                json.WriteString("stat"u8, "invalid status: " + text);
                json.WriteEndObject();
            });
            return;
        }

        var result = await broker.UpdateSettingsAsync(queue, new QueueSettingsPatch { Stopped = text is "stop" });
        await (result.Ok
            ? RestMqAnswers.JsonAsync(context, callback, json =>
            {
                json.WriteStartObject();
                json.WritePropertyName("stat"u8);
                WriteStatus(json, queue, result.Value.Stopped);
                json.WriteEndObject();
            })
            : RestMqAnswers.RefuseAsync(context, ProblemDetailsMapper.ToProblem(result)));
    }

    public Task GetAllStatusAsync(HttpContext context) =>
        AnswerAllAsync(context, static (json, info) => WriteStatus(json, info.Name, info.Settings.Stopped));

    public Task GetAllStatisticsAsync(HttpContext context) => AnswerAllAsync(context, static (json, info) =>
    {
        json.WriteStartObject();
        json.WriteString("name"u8, info.Name.Value);
        json.WriteNumber("len"u8, info.Ready);
        json.WriteNumber("status"u8, info.Settings.Stopped ? 0 : 1);
        if (info.Settings.Policy is { } policy)
        {
            json.WriteNumber("policy"u8, policy == DeliveryPolicy.Broadcast ? 1 : 2);
        }
        else
        {
            json.WriteString("policy"u8, ""u8);
        }

        json.WriteEndObject();
    });

    public async Task GetStatisticsAsync(HttpContext context)
    {
        if (RestMqQueues.Read(context, out var queue, out var callback) is { } problem)
        {
            await RestMqAnswers.RefuseAsync(context, problem);
            return;
        }

        var ready = (await broker.GetQueueAsync(queue))?.Ready ?? 0;
        await RestMqAnswers.JsonAsync(context, callback, json =>
        {
            json.WriteStartObject();
            json.WriteString("redis"u8, StoreOf(node));
            json.WriteString("queue"u8, queue.Value);
            json.WriteNumber("len"u8, ready);
            json.WriteEndObject();
        });
    }

    private async Task AnswerAllAsync(HttpContext context, Action<Utf8JsonWriter, QueueInfo> write)
    {
        var (arguments, problem) = RestMqArguments.FromQuery(context);
        problem = Problem.First(problem, RestMqCallback.Read(arguments, out var callback));
        if (problem is not null)
        {
            await RestMqAnswers.RefuseAsync(context, problem);
            return;
        }

        // Gathered first: a writer of JSON belongs to one thread, and the list may be many pages.
        var all = new List<QueueInfo>();
        await foreach (var info in queues.AllAsync(context))
        {
            all.Add(info);
        }

        await RestMqAnswers.JsonAsync(context, callback, json =>
        {
            json.WriteStartObject();
            json.WriteString("redis"u8, StoreOf(node));
            json.WriteStartObject("queues"u8);
            foreach (var info in all)
            {
                json.WritePropertyName(info.Name.Value);
                write(json, info);
            }

            json.WriteEndObject();
            json.WriteNumber("count"u8, all.Count);
            json.WriteEndObject();
        });
    }

    private static async Task<(QueueName Queue, RestMqCallback Callback, string Text, Problem? Problem)> ReadAsync(
        HttpContext context, string name, string example)
    {
        var (arguments, problem) = await RestMqArguments.ReadAsync(context, ArgumentBytesMax);
        problem = Problem.First(problem, RawPath.Queue(context, 0, out var queue), RestMqCallback.Read(arguments, out var callback));
        var text = arguments[name];
        problem ??= text is null ? Problem.BadOption($"The argument '{name}' is missing; send {example} as a form.") : null;
        return (queue, callback, text ?? "", problem);
    }

    private static void WriteStatus(Utf8JsonWriter json, QueueName queue, bool stopped)
    {
        json.WriteStartObject();
        json.WriteString("queue"u8, queue.Value);
        json.WriteNumber("status"u8, stopped ? 0 : 1);
        json.WriteEndObject();
    }

    /// <summary>The kind of store without its place: that is the operator's business, and this answer is open to every key.</summary>
    private static string StoreOf(NodeStatistics node) => node.Store.Split([" in ", " at "], StringSplitOptions.None)[0];
}
