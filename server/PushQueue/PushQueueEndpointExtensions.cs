using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using PushQueue.Delivery;
using PushQueue.Dialects;
using PushQueue.Dialects.Redisched;
using PushQueue.Security;
using PushQueue.Transports;
using PushQueue.Transports.Rest;
using PushQueue.Transports.SignalR;
using PushQueue.Transports.Streaming;

namespace PushQueue;

/// <summary>Maps the queue into an application.</summary>
public static class PushQueueEndpointExtensions
{
    /// <summary>
    /// Maps the native API (REST, the JSON protocol, the streams and the hub) and, under their prefixes, the dialects. Into a group of the
    /// application's they come under its prefix: <c>app.MapGroup("/mq").MapPushQueue()</c>.
    /// </summary>
    /// <returns>For what all these endpoints are to have, such as <c>RequireAuthorization()</c> or <c>RequireCors()</c>.</returns>
    public static IEndpointConventionBuilder MapPushQueue(this IEndpointRouteBuilder endpoints)
    {
        var group = endpoints.Checked();
        group.MapRest().MapStreams().MapPushHub().MapDialects(PushQueueDialects.All);
        return group;
    }

    /// <summary>
    /// Answers every path that nothing else serves with a problem instead of an empty 404. For a server that is all PushQueue's;
    /// an application with pages of its own leaves it out.
    /// </summary>
    public static IEndpointConventionBuilder MapPushQueueNotFound(this IEndpointRouteBuilder endpoints)
    {
        var group = endpoints.Checked();
        group.MapNotFound();
        return group;
    }

    /// <summary>
    /// Whatever is mapped into it, the hub included, asks <see cref="OriginCheck"/> and then <see cref="AccessBorder"/> first. Around the
    /// endpoints rather than in the pipeline, so that no host can forget it. An endpoint filter would not do: those see no plain request
    /// delegates.
    /// </summary>
    internal static RouteGroupBuilder Checked(this IEndpointRouteBuilder endpoints)
    {
        var check = endpoints.ServiceProvider.GetRequiredService<OriginCheck>();
        var border = endpoints.ServiceProvider.GetRequiredService<AccessBorder>();
        var mark = endpoints.ServiceProvider.GetRequiredService<PushMark>();
        var drain = endpoints.ServiceProvider.GetRequiredService<NodeDrain>();
        var group = endpoints.MapGroup(string.Empty);
        ((IEndpointConventionBuilder)group).Finally(endpoint =>
        {
            var next = border.Guard(endpoint, BrowserTakes.Guard(endpoint, endpoint.RequestDelegate!));
            var form = RefusalForm.Of(endpoint);
            endpoint.RequestDelegate = context => CheckAsync(check, mark, drain, context, form, next);
        });
        return group;
    }

    private static Task CheckAsync(
        OriginCheck check, PushMark mark, NodeDrain drain, HttpContext context, RefusalForm form, RequestDelegate next)
    {
        // hot path: every request; guarded by bench access. A cache in front that answered a take again would give one message to several
        // consumers. Streams, pages and SignalR say more.
        context.Response.Headers.CacheControl = "no-store";
        if (drain.HasBegun && !HttpProtocol.IsHttp2(context.Request.Protocol))
        {
            context.Response.Headers.Connection = "close";
        }

        if (check.WhyRefused(context) is { } refusal)
        {
            return RefuseAsync(check, context, form, refusal, next);
        }

        if (mark.IsOf(context.Request))
        {
            return form.AnswerAsync(context, new Problem(ProblemType.PushLoop));
        }

        return OriginCheck.AnswersPreflight(context) ? Task.CompletedTask : next(context);
    }

    private static async Task RefuseAsync(OriginCheck check, HttpContext context, RefusalForm form, string refusal, RequestDelegate next)
    {
        if (await check.IsAllowedByHostAsync(context))
        {
            await next(context);
            return;
        }

        await form.AnswerAsync(context, new Problem(ProblemType.ForbiddenOrigin, refusal));
    }
}
