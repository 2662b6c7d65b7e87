using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.Primitives;
using PushQueue.Queues;
using PushQueue.Security;

namespace PushQueue.Transports;

/// <summary>
/// Stands around every endpoint and asks for what its <see cref="RouteAccess"/> says, before the handler sees the request. An endpoint that
/// says nothing serves nobody. Handlers that serve many queues ask the <see cref="Caller"/> further, by queue.
/// </summary>
internal sealed class AccessBorder(
    AccessControl access, Admission admission, OriginCheck origins, QueuesOptions limits, LimitHits hits)
{
    private const string QueueParameter = "queue";

    private const string BearerChallenge = "Bearer realm=\"PushQueue\"";

    private static readonly string[] Challenges = [BearerChallenge, "Basic realm=\"PushQueue\", charset=\"UTF-8\""];

    /// <exception cref="InvalidOperationException">A rule asks for the queue of a path that has none.</exception>
    public RequestDelegate Guard(EndpointBuilder endpoint, RequestDelegate next)
    {
        var route = endpoint.Metadata.OfType<RouteAccess>().LastOrDefault();
        var fromEnd = QueueFromEnd(endpoint, route);
        var form = RefusalForm.Of(endpoint);
        return context => access.Enabled ? ServeAsync(context, route, fromEnd, form, next) : next(context);
    }

    private Task ServeAsync(HttpContext context, RouteAccess? route, int queueFromEnd, RefusalForm form, RequestDelegate next)
    {
        // hot path: every request with a key; guarded by bench access.
        if (route is null)
        {
            return form.AnswerAsync(context, new Problem(
                ProblemType.Forbidden, "This path has no access rule, so it is refused; this is a fault of the server."));
        }

        // A method that the route does not know is refused by its handler.
        var rule = route.Of(context.Request.Method) ?? AccessRule.Public;
        if (rule.Scope == AccessScope.Public)
        {
            return next(context);
        }

        var caller = KnownKeys.Find(context, access, rule.Lasts, out var whyNot) ?? access.FindUser(context.User);
        if (caller is null && AccessToken.IsLike(Credentials.Read(context.Request, rule.Lasts)))
        {
            return ServeTokenAsync(context, rule, queueFromEnd, form, next);
        }

        return ServeAsync(context, rule, queueFromEnd, form, next, caller, whyNot);
    }

    /// <summary>A token may have to be checked with keys that are fetched first.</summary>
    private async Task ServeTokenAsync(HttpContext context, AccessRule rule, int queueFromEnd, RefusalForm form, RequestDelegate next)
    {
        FoundCaller found;
        try
        {
            found = await FindTokenAsync(context, rule);
        }
        catch (StoreUnavailableException)
        {
            await form.AnswerAsync(context, new Problem(ProblemType.StoreUnavailable));
            return;
        }

        await ServeAsync(context, rule, queueFromEnd, form, next, found.Caller, found.WhyNot);
    }

    private async ValueTask<FoundCaller> FindTokenAsync(HttpContext context, AccessRule rule)
    {
        var token = Credentials.Read(context.Request, rule.Lasts).ToString();
        if (origins.MayBeOfForeignScript(context.Request) && token == context.Request.Cookies[Credentials.CookieName])
        {
            return FoundCaller.None("The cookie counts only for requests that show their page, or over TLS; send the token as a header.");
        }

        var version = access.Version;
        var found = await admission.FindAsync(token, context.RequestAborted);
        if (found.Caller is not null)
        {
            KnownKeys.Remember(context, found.Caller, version);
        }

        return found;
    }

    private Task ServeAsync(
        HttpContext context, AccessRule rule, int queueFromEnd, RefusalForm form, RequestDelegate next, Caller? found, string whyNot)
    {
        if (WhyRefused(context, rule, queueFromEnd, found, whyNot) is { } problem)
        {
            return form.AnswerAsync(context, problem);
        }

        var caller = found!;
        context.User = caller;
        return !rule.Lasts ? next(context)
            : rule.CountsItself ? ServeHubAsync(context, caller, form, next)
            : ServeConnectionAsync(context, caller, form, next);
    }

    /// <summary>
    /// A request with an id belongs to a connection that was negotiated and is counted already. A socket without one is a connection of its
    /// own.
    /// </summary>
    private Task ServeHubAsync(HttpContext context, Caller caller, RefusalForm form, RequestDelegate next) =>
        context.Request.Query.ContainsKey("id") ? next(context)
        : Credentials.IsOfSocket(context.Request) ? ServeConnectionAsync(context, caller, form, next)
        : caller.HasRoom ? next(context)
        : RefuseConnectionAsync(context, caller, form);

    private Task RefuseConnectionAsync(HttpContext context, Caller caller, RefusalForm form)
    {
        hits.Count(LimitNames.KeyConnections);
        return form.AnswerAsync(context, new Problem(
            ProblemType.TooManyConnections,
                $"This key may have {caller.Key!.Limits.Connections} streams and sockets at once; close one of them."));
    }

    private async Task ServeConnectionAsync(HttpContext context, Caller caller, RefusalForm form, RequestDelegate next)
    {
        if (!caller.TryConnect())
        {
            await RefuseConnectionAsync(context, caller, form);
            return;
        }

        try
        {
            await next(context);
        }
        finally
        {
            caller.Disconnect();
        }
    }

    private Problem? WhyRefused(HttpContext context, AccessRule rule, int queueFromEnd, Caller? caller, string whyNot)
    {
        if (caller is null)
        {
            context.Response.Headers.WWWAuthenticate = ChallengesFor(context.Request);
            return new Problem(ProblemType.Unauthorized, whyNot);
        }

        if (WhyForbidden(context, rule, queueFromEnd, caller) is { } problem)
        {
            return problem;
        }

        // No more than any route would read: what is announced and refused unread must not put a key in debt for hours.
        var bytes = Math.Min(context.Request.ContentLength ?? 0, limits.BatchBytesMax);
        problem = caller.WhyNotNow(bytes, hits, out var wait);
        if (problem is not null)
        {
            context.Response.Headers.RetryAfter = Math.Ceiling(wait.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        }

        return problem;
    }

    /// <summary>How a client without a valid key is asked for one.</summary>
    public static StringValues ChallengesFor(HttpRequest request) => IsOfScript(request) ? BearerChallenge : Challenges;

    /// <summary>
    /// Whether a page's script asks. A browser that reads of Basic puts up a window of its own and the script waits for it, the
    /// dashboard's, too, which has its own way to ask. Browsers do not always say that it is a script, so its socket and its event stream
    /// tell, too.
    /// </summary>
    private static bool IsOfScript(HttpRequest request) =>
        request.Headers["Sec-Fetch-Mode"] is [{ } mode] && mode != "navigate"
        || !StringValues.IsNullOrEmpty(request.Headers.SecWebSocketKey)
        || request.Headers.Accept == "text/event-stream";

    private static Problem? WhyForbidden(HttpContext context, AccessRule rule, int queueFromEnd, Caller caller) => rule.Scope switch
    {
        AccessScope.Queue when rule.Only is { } only => caller.WhyNot(rule.AnyOf, only),
        AccessScope.Queue => RawPath.Queue(context, queueFromEnd, out var queue) ?? caller.WhyNot(rule.AnyOf, queue),
        AccessScope.Node => caller.WhyNotEverywhere(rule.AnyOf),
        _ => null,
    };

    /// <summary>
    /// How many segments of the path stand behind <c>{queue}</c>: names are read from the path as it was sent, from its end.
    /// </summary>
    private static int QueueFromEnd(EndpointBuilder endpoint, RouteAccess? route)
    {
        if (route is null || route.Rules.All(static rule => rule.Rule is not { Scope: AccessScope.Queue, Only: null }))
        {
            return 0;
        }

        var segments = (endpoint as RouteEndpointBuilder)?.RoutePattern.PathSegments ?? [];
        for (var i = 0; i < segments.Count; i++)
        {
            if (segments[i].Parts is [RoutePatternParameterPart { Name: QueueParameter }])
            {
                return segments.Count - 1 - i;
            }
        }

        throw new InvalidOperationException(
            $"{endpoint.DisplayName} needs a permission on a queue, but its path has no {{{QueueParameter}}}.");
    }
}
