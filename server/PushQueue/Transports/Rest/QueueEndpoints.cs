using Microsoft.AspNetCore.Http;
using PushQueue.Delivery;
using PushQueue.Diagnostics;
using PushQueue.Queues;

namespace PushQueue.Transports.Rest;

/// <summary>The queues themselves: list, delete, counters.</summary>
internal sealed class QueueEndpoints(IMessageBroker broker, QueueRates rates, Dispatcher dispatcher, TimeProvider time)
{
    private const int PageDefault = 100;
    private const int PageMax = 1000;

    public void Map(RestRoutes routes)
    {
        routes.Map("/q", ("GET", ListAsync));
        routes.Map("/j/{queue}", ("GET", CountersAsync));
    }

    public async ValueTask<Problem?> DeleteAsync(HttpContext context)
    {
        if (Problem.First(RawPath.Queue(context, 0, out var queue), QueryOptions.None(context.Request)) is { } problem)
        {
            return problem;
        }

        var result = await broker.DeleteQueueAsync(queue);
        return result.Ok ? RestAnswers.NoContent(context) : ProblemDetailsMapper.ToProblem(result);
    }

    private async ValueTask<Problem?> ListAsync(HttpContext context)
    {
        if (ReadPage(context.Request, out var after, out var limit) is { } problem)
        {
            return problem;
        }

        var page = await broker.ListQueuesAsync(after, limit);
        var now = time.GetUtcNow();
        var json = JsonBuffer.Rent();
        var writer = json.Writer;
        writer.WriteStartObject();
        writer.WriteStartArray("queues"u8);
        foreach (var info in page.Queues)
        {
            QueueJson.WriteInfo(writer, info, rates.Of(info.Name), dispatcher.CountConsumers(info.Name), now);
        }

        writer.WriteEndArray();
        writer.WriteNumber("total"u8, page.Total);
        writer.WriteString("next"u8, page.Next);
        writer.WriteEndObject();
        return await RestAnswers.JsonAsync(context, StatusCodes.Status200OK, json.Finish());
    }

    private async ValueTask<Problem?> CountersAsync(HttpContext context)
    {
        if (Problem.First(RawPath.Queue(context, 0, out var queue), QueryOptions.None(context.Request)) is { } problem)
        {
            return problem;
        }

        if (await broker.GetQueueAsync(queue) is not { } info)
        {
            return Problem.NotFound("There is no such queue; its first put makes it.");
        }

        var json = JsonBuffer.Rent();
        QueueJson.WriteInfo(json.Writer, info, rates.Of(queue), dispatcher.CountConsumers(queue), time.GetUtcNow());
        return await RestAnswers.JsonAsync(context, StatusCodes.Status200OK, json.Finish());
    }

    private static Problem? ReadPage(HttpRequest request, out string? after, out int limit)
    {
        after = null;
        limit = PageDefault;
        var query = new QueryOptions(request);
        while (query.Next(out var name, out var value))
        {
            switch (name)
            {
                case "after":
                    after = value;
                    break;
                case "limit":
                    if (OptionValues.Integer("limit", value, 1, PageMax, out limit) is { } problem)
                    {
                        return problem;
                    }

                    break;
                default:
                    return OptionValues.Unknown(name, "after, limit");
            }
        }

        return query.Problem;
    }
}
