using System.Globalization;
using Microsoft.AspNetCore.Http;
using PushQueue.Delivery;
using PushQueue.Diagnostics;
using PushQueue.Security;
using PushQueue.Transports.Json;
using PushQueue.Transports.OpenApi;
using PushQueue.Transports.Watching;

namespace PushQueue.Transports.Rest;

/// <summary>The consumers of a queue, at whichever node: list, disconnect one. One of this node's own leaves.</summary>
internal sealed class ConsumerEndpoints(
    Dispatcher dispatcher, ClusterAnswers cluster, NodeEvents events, PresenceEndpoints presence)
{
    public void Map(RestRoutes routes)
    {
        routes.Map("/q/{queue}/consumers", ("GET", AccessRule.Manage, ListAsync, QueueOperations.ListConsumers));
        routes.Map("/q/{queue}/presence", ("GET", PresenceEndpoints.Rule, ShowPresenceAsync, QueueOperations.ShowPresence));
        routes.Map("/q/{queue}/leave", ("POST", AccessRule.Settle, LeaveAsync, LeaseOperations.Leave));
        routes.Map("/q/{queue}/consumers/{number}", ("DELETE", AccessRule.Manage, DisconnectAsync, QueueOperations.Disconnect));
    }

    private async ValueTask<Problem?> ListAsync(HttpContext context)
    {
        if (Problem.First(RawPath.Queue(context, 1, out var queue), QueryOptions.None(context.Request)) is { } problem)
        {
            return problem;
        }

        var consumers = new ConsumersContract(queue.Value, await cluster.ConsumersAsync(queue));
        return await RestAnswers.ContractAsync(context, consumers, ContractContext.Default.ConsumersContract);
    }

    private async ValueTask<Problem?> ShowPresenceAsync(HttpContext context) =>
        Problem.First(RawPath.Queue(context, 1, out var queue), QueryOptions.None(context.Request))
        ?? await RestAnswers.ContractAsync(context, await presence.ListAsync(queue), ContractContext.Default.PresenceContract);

    /// <summary>For consumers whose stream takes no commands: what <c>unsubscribe</c> is on a socket.</summary>
    private async ValueTask<Problem?> LeaveAsync(HttpContext context)
    {
        if (Problem.First(RawPath.Queue(context, 1, out var queue), ReadToken(context.Request, out var token)) is { } problem)
        {
            return problem;
        }

        var (body, bodyProblem) = await RequestBody.ReadAsync(context, LeaseKeysJson.BytesMax, ProblemType.BatchTooLarge);
        if (bodyProblem is not null)
        {
            return bodyProblem;
        }

        if (LeaseKeysJson.Read(body, out var started) is { } broken)
        {
            return broken;
        }

        return dispatcher.LeavePlace(queue, token, started)
            ? RestAnswers.NoContent(context)
            : Problem.NotFound(
                "No consumer of this queue has that token at this node: it has left, its grace time is over, or it is at another node.");
    }

    private static Problem? ReadToken(HttpRequest request, out string token)
    {
        token = "";
        var query = new QueryOptions(request);
        while (query.Next(out var name, out var value))
        {
            if (name is not "consumer")
            {
                return OptionValues.Unknown(name, "consumer");
            }

            token = value;
        }

        return query.Problem
            ?? (token.Length == 0 ? Problem.BadOption(
                "The option 'consumer' is missing; give the token in the first event of the stream.") : null);
    }

    private async ValueTask<Problem?> DisconnectAsync(HttpContext context)
    {
        var problem = Problem.First(RawPath.Queue(context, 2, out var queue), QueryOptions.None(context.Request));
        var text = context.Request.RouteValues["number"] as string;
        if (problem is null
            && (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                || !await cluster.DisconnectAsync(queue, number)))
        {
            problem = Problem.NotFound("No consumer with that id is connected to this queue; GET /q/{queue}/consumers lists them.");
        }

        if (problem is null)
        {
            events.Add(NodeEventLevel.Info, "consumer-disconnected", $"An operator disconnected consumer {text} of '{queue}'.", queue);
        }

        return problem ?? RestAnswers.NoContent(context);
    }
}
