using System.Globalization;
using Microsoft.AspNetCore.Http;
using PushQueue.Delivery;

namespace PushQueue.Transports.Rest;

/// <summary>The consumers of a queue that are connected to this node: list, disconnect one.</summary>
internal sealed class ConsumerEndpoints(Dispatcher dispatcher)
{
    public void Map(RestRoutes routes)
    {
        routes.Map("/q/{queue}/consumers", ("GET", ListAsync));
        routes.Map("/q/{queue}/consumers/{number}", ("DELETE", DisconnectAsync));
    }

    private async ValueTask<Problem?> ListAsync(HttpContext context)
    {
        if (Problem.First(RawPath.Queue(context, 1, out var queue), QueryOptions.None(context.Request)) is { } problem)
        {
            return problem;
        }

        var json = JsonBuffer.Rent();
        json.Writer.WriteStartObject();
        json.Writer.WriteString("queue"u8, queue.Value);
        ConsumerJson.WriteAll(json.Writer, dispatcher.ListConsumers(queue));
        json.Writer.WriteEndObject();
        return await RestAnswers.JsonAsync(context, StatusCodes.Status200OK, json.Finish());
    }

    private ValueTask<Problem?> DisconnectAsync(HttpContext context)
    {
        var problem = Problem.First(RawPath.Queue(context, 2, out var queue), QueryOptions.None(context.Request));
        var text = context.Request.RouteValues["number"] as string;
        if (problem is null
            && (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || !dispatcher.Disconnect(queue, number)))
        {
            problem = Problem.NotFound("No consumer with that id is connected to this queue here; GET /q/{queue}/consumers lists them.");
        }

        return new(problem ?? RestAnswers.NoContent(context));
    }
}
