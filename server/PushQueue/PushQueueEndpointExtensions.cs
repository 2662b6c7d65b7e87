using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using PushQueue.Dialects;
using PushQueue.Security;
using PushQueue.Transports;
using PushQueue.Transports.Rest;
using PushQueue.Transports.SignalR;
using PushQueue.Transports.Streaming;

namespace PushQueue;

/// <summary>Maps the queue into an application.</summary>
public static class PushQueueEndpointExtensions
{
    /// <summary>Maps the native API (REST, the JSON protocol, the streams and the hub) and, under their prefixes, the dialects.</summary>
    public static IEndpointRouteBuilder MapPushQueue(this IEndpointRouteBuilder endpoints)
    {
        endpoints.Checked().MapRest().MapStreams().MapPushHub().MapDialects(PushQueueDialects.All);
        return endpoints;
    }

    /// <summary>
    /// Answers every path that nothing else serves with a problem instead of an empty 404. For a server that is all PushQueue's;
    /// an application with pages of its own leaves it out.
    /// </summary>
    public static IEndpointRouteBuilder MapPushQueueNotFound(this IEndpointRouteBuilder endpoints)
    {
        endpoints.Checked().MapNotFound();
        return endpoints;
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
        var group = endpoints.MapGroup(string.Empty);
        ((IEndpointConventionBuilder)group).Finally(endpoint =>
        {
            var next = border.Guard(endpoint, BrowserTakes.Guard(endpoint, endpoint.RequestDelegate!));
            var form = RefusalForm.Of(endpoint);
            endpoint.RequestDelegate = context => CheckAsync(check, context, form, next);
        });
        return group;
    }

    private static Task CheckAsync(OriginCheck check, HttpContext context, RefusalForm form, RequestDelegate next)
    {
        if (check.WhyRefused(context) is { } refusal)
        {
            return form.AnswerAsync(context, new Problem(ProblemType.ForbiddenOrigin, refusal));
        }

        return OriginCheck.AnswersPreflight(context) ? Task.CompletedTask : next(context);
    }
}
