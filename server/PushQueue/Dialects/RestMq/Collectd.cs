using Microsoft.AspNetCore.Http;
using PushQueue.Queues;
using PushQueue.Transports;
using PushQueue.Transports.Rest;

namespace PushQueue.Dialects.RestMq;

/// <summary><c>/collectd</c>: what collectd's write_http plugin and its notifications send, a message per request.</summary>
internal sealed class Collectd(IMessageBroker broker)
{
    public static readonly QueueName DataQueue = QueueName.Parse("collectd_data");
    public static readonly QueueName EventQueue = QueueName.Parse("collectd_event");

    /// <summary>Values: JSON as it is, or lines of PUTVAL.</summary>
    public async Task DataAsync(HttpContext context)
    {
        var (body, problem) = await RequestBody.ReadAsync(context, broker.MessageBytesMax, ProblemType.MessageTooLarge);
        if (problem is null && IsJson(context, body))
        {
            problem = JsonBody.WhyNot(JsonBody.SkipMark(body).Span) is { } broken
                ? Problem.BadJson($"The body is not valid JSON: {broken}.")
                : null;
        }
        else if (problem is null)
        {
            problem = CollectdText.Values(body, out body);
        }

        await AnswerAsync(context, DataQueue, body, problem);
    }

    /// <summary>A notification: headers, an empty line, a text.</summary>
    public async Task EventAsync(HttpContext context)
    {
        var (body, problem) = await RequestBody.ReadAsync(context, broker.MessageBytesMax, ProblemType.MessageTooLarge);
        problem ??= CollectdText.Notification(body, out body);
        await AnswerAsync(context, EventQueue, body, problem);
    }

    private static bool IsJson(HttpContext context, ReadOnlySpan<byte> body) =>
        (context.Request.ContentType is { } type && ContentTypes.IsJson(type))
        || body.TrimStart(" \t\r\n"u8) is [(byte)'[' or (byte)'{', ..];

    private async Task AnswerAsync(HttpContext context, QueueName queue, byte[] json, Problem? problem)
    {
        if (problem is not null)
        {
            await RestMqAnswers.RefuseAsync(context, problem);
            return;
        }

        var result = await broker.PutAsync(queue, new NewMessage { Body = json, ContentType = ContentTypes.Json });
        await (result.Ok
            ? RestMqAnswers.TextAsync(context, StatusCodes.Status200OK, RestMqAnswers.Key(queue, result.Value.Id))
            : RestMqAnswers.RefuseAsync(context, ProblemDetailsMapper.ToProblem(result)));
    }
}
