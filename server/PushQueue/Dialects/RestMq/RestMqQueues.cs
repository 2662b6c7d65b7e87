using System.Net;
using System.Text;
using Microsoft.AspNetCore.Http;
using PushQueue.Queues;
using PushQueue.Security;
using PushQueue.Transports;

namespace PushQueue.Dialects.RestMq;

/// <summary><c>/</c> and <c>/q</c>: put, take, list and delete.</summary>
internal sealed class RestMqQueues(IMessageBroker broker, AccessControl access)
{
    /// <summary>
    /// A take of this API goes on while the queue is stopped: there, stopping only ever meant the consumers that stay connected.
    /// </summary>
    public static TakeRequest EvenWhenStopped(HttpContext context) => new(EvenWhenStopped: true) { Pending = new HttpPendingTake(context) };

    private const int PageSize = 1000;

    public async Task PutAnywhereAsync(HttpContext context)
    {
        var (arguments, problem) = await RestMqArguments.ReadAsync(context, broker.MessageBytesMax);
        problem = Problem.First(problem, arguments.Queue(out var queue), arguments.Message(out var message))
            ?? access.CallerOf(context).WhyNot(Permissions.Put, queue);
        await (problem is null ? PutAsync(context, queue, message!) : RestMqAnswers.RefuseAsync(context, problem));
    }

    public async Task PutAsync(HttpContext context)
    {
        var (arguments, problem) = await RestMqArguments.ReadAsync(context, broker.MessageBytesMax);
        problem = Problem.First(problem, RawPath.Queue(context, 0, out var queue), arguments.Message(out var message));
        await (problem is null ? PutAsync(context, queue, message!) : RestMqAnswers.RefuseAsync(context, problem));
    }

    /// <summary>Without a queue this is the address that people open in a browser.</summary>
    public async Task TakeAnywhereAsync(HttpContext context)
    {
        var (arguments, problem) = RestMqArguments.FromQuery(context);
        if (problem is null && arguments["queue"] is null)
        {
            context.Response.Redirect(DialectRequest.Dashboard(context));
            return;
        }

        problem = Problem.First(problem, arguments.Queue(out var queue), RestMqCallback.Read(arguments, out var callback))
            ?? access.CallerOf(context).WhyNot(Permissions.Take, queue);
        if (problem is not null)
        {
            await RestMqAnswers.RefuseAsync(context, problem);
        }
        else if (!await TryTakeAsync(context, queue, callback))
        {
            await RestMqAnswers.RefuseAsync(context, StatusCodes.Status404NotFound, "The queue is empty.");
        }
    }

    public async Task TakeAsync(HttpContext context)
    {
        if (Read(context, out var queue, out var callback) is { } problem)
        {
            await RestMqAnswers.RefuseAsync(context, problem);
        }
        else if (!await TryTakeAsync(context, queue, callback))
        {
            context.Response.StatusCode = StatusCodes.Status204NoContent;
        }
    }

    /// <summary>1 where this deletes the queue, 0 where it did not exist. The core ends its consumers.</summary>
    public async Task DeleteAsync(HttpContext context)
    {
        if (Read(context, out var queue, out var callback) is { } problem)
        {
            await RestMqAnswers.RefuseAsync(context, problem);
            return;
        }

        var result = await broker.DeleteQueueAsync(queue);
        if (!result.Ok)
        {
            await RestMqAnswers.RefuseAsync(context, ProblemDetailsMapper.ToProblem(result));
            return;
        }

        await RestMqAnswers.JsonAsync(context, callback, json =>
        {
            json.WriteStartObject();
            json.WriteString("queue"u8, queue.Value);
            json.WriteNumber("status"u8, result.Value ? 1 : 0);
            json.WriteEndObject();
        });
    }

    public async Task ListAsync(HttpContext context)
    {
        var start = DialectRequest.Base(context, RestMqEndpoints.Name);
        var page = new StringBuilder("<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>Queues</title></head><body>\n<ul>\n");
        await foreach (var info in AllAsync(context))
        {
            page.Append("<li><a href=\"")
                .Append(WebUtility.HtmlEncode($"{start}/q/{Uri.EscapeDataString(info.Name.Value)}"))
                .Append("\">").Append(WebUtility.HtmlEncode(info.Name.Value)).Append("</a></li>\n");
        }

        await RestMqAnswers.PageAsync(context, page.Append("</ul>\n</body></html>").ToString());
    }

    /// <summary>Every queue that the caller may see.</summary>
    public async IAsyncEnumerable<QueueInfo> AllAsync(HttpContext context)
    {
        var caller = access.CallerOf(context);
        string? after = null;
        do
        {
            var page = await broker.ListQueuesAsync(after, PageSize);
            foreach (var info in page.Queues.Where(info => caller.May(Permissions.Any, info.Name)))
            {
                yield return info;
            }

            after = page.Next;
        }
        while (after is not null);
    }

    /// <summary>A request whose only arguments are its queue, in the path, and perhaps a callback.</summary>
    public static Problem? Read(HttpContext context, out QueueName queue, out RestMqCallback callback)
    {
        var (arguments, problem) = RestMqArguments.FromQuery(context);
        return Problem.First(problem, RawPath.Queue(context, 0, out queue), RestMqCallback.Read(arguments, out callback));
    }

    private async Task PutAsync(HttpContext context, QueueName queue, NewMessage message)
    {
        var result = await broker.PutAsync(queue, message);
        await (result.Ok
            ? RestMqAnswers.TextAsync(context, StatusCodes.Status200OK, RestMqAnswers.Key(queue, result.Value.Id))
            : RestMqAnswers.RefuseAsync(context, ProblemDetailsMapper.ToProblem(result)));
    }

    /// <summary>False where the queue is empty, and nothing is answered yet.</summary>
    private async Task<bool> TryTakeAsync(HttpContext context, QueueName queue, RestMqCallback callback)
    {
        var result = await broker.TakeAsync(queue, EvenWhenStopped(context), context.RequestAborted);
        if (!result.Ok)
        {
            await RestMqAnswers.RefuseAsync(context, ProblemDetailsMapper.ToProblem(result));
            return true;
        }

        if (result.Value.Count == 0)
        {
            return false;
        }

        var message = result.Value[0];
        await RestMqAnswers.JsonAsync(context, callback, json =>
        {
            json.WriteStartObject();
            json.WriteString("key"u8, RestMqAnswers.Key(message));
            json.WriteString("value"u8, RestMqAnswers.Value(message));
            json.WriteNumber("count"u8, 0);
            json.WriteEndObject();
        });
        return true;
    }
}
