using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using PushQueue.Queues;
using PushQueue.Security;
using PushQueue.Transports.OpenApi;

namespace PushQueue.Transports.Rest;

/// <summary>Answers a request and returns null, or returns the problem that is to be the answer.</summary>
internal delegate ValueTask<Problem?> RestHandler(HttpContext context);

/// <summary>
/// One path with a handler per method. The border of the native API: what escapes a handler is answered, and logged, here.
/// A path takes every method to itself, so that a wrong one gets a problem and not an empty 405. HEAD is answered like GET, without the
/// body, except where a GET changes something: a GET of a queue takes a message.
/// </summary>
internal sealed partial class RestRoutes(IEndpointRouteBuilder endpoints)
{
    private readonly ILogger _logger = endpoints.ServiceProvider.GetRequiredService<ILogger<RestRoutes>>();

    public void Map(string pattern, params (string Method, AccessRule Rule, RestHandler Handler, ApiOperation Operation)[] methods) =>
        _ = MapAll(pattern, methods);

    /// <summary>As <see cref="Map"/>, for handlers that are <see cref="ShortRequest"/>s.</summary>
    public void MapShort(string pattern, params (string Method, AccessRule Rule, RestHandler Handler, ApiOperation Operation)[] methods) =>
        MapAll(pattern, methods).WithMetadata(ShortRequest.Mark);

    /// <summary>The other methods of a path whose good methods another folder maps: a problem for every other method.</summary>
    public void MapWrongMethod(string pattern, string allow) =>
        endpoints.Map(pattern, context => InvokeAsync(context, [], allow)).WithOrder(1).RequireAccess(AccessRule.Public);

    private IEndpointConventionBuilder MapAll(
        string pattern, (string Method, AccessRule Rule, RestHandler Handler, ApiOperation Operation)[] methods)
    {
        var routeMethods = new RouteMethods([.. methods.Select(static method => method.Method)]);
        var operations = new ApiOperations(
            methods.ToDictionary(static method => method.Method, static method => method.Operation, StringComparer.Ordinal));
        if (methods.FirstOrDefault(static method => method.Method == HttpMethods.Get) is { Handler: not null } get
            && IsSafe(get.Rule, pattern))
        {
            // The web server leaves the body of an answer to HEAD out.
            methods = [.. methods, (HttpMethods.Head, get.Rule, get.Handler, get.Operation)];
        }

        var allow = string.Join(", ", methods.Select(method => method.Method));
        return endpoints.Map(pattern, context => InvokeAsync(context, methods, allow))
            .WithMetadata(routeMethods, operations)
            .RequireAccess([.. methods.Select(method => ((string?)method.Method, method.Rule))]);
    }

    /// <summary>Whether a GET leaves everything as it is. HEAD of an archive would read the whole log for nothing.</summary>
    private static bool IsSafe(AccessRule rule, string pattern) => rule != AccessRule.Take && pattern != BackupEndpoint.Path;

    private async Task InvokeAsync(
        HttpContext context, (string Method, AccessRule Rule, RestHandler Handler, ApiOperation Operation)[] methods, string allow)
    {
        try
        {
            foreach (var (method, _, handler, _) in methods)
            {
                if (HttpMethods.Equals(context.Request.Method, method))
                {
                    if (await handler(context) is { } problem)
                    {
                        await RestAnswers.ProblemAsync(context, problem);
                    }

                    return;
                }
            }

            await RefuseMethodAsync(context, allow);
        }
        catch (Exception e) when (ClosedConnections.Explain(context, e))
        {
            // The client is gone; there is nobody to answer.
        }
        catch (BadHttpRequestException e)
        {
            await AnswerBrokenAsync(context, e);
        }
        catch (IOException e) when (RequestBody.IsChunkTooLong(e) && !context.Response.HasStarted)
        {
            await RestAnswers.ProblemAsync(context, new Problem(ProblemType.BadRequest, RequestBody.ChunkTooLong));
        }
        catch (StoreUnavailableException) when (!context.Response.HasStarted)
        {
            await RestAnswers.ProblemAsync(context, new Problem(ProblemType.StoreUnavailable));
        }
        catch (Exception e) when (!context.Response.HasStarted)
        {
            Log.RequestFailed(_logger, e, context.Request.Method, pattern: (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText);
            await RestAnswers.ProblemAsync(context, new Problem(ProblemType.InternalError));
        }
    }

    private static ValueTask RefuseMethodAsync(HttpContext context, string allow)
    {
        if (RawPath.HasDotSegment(context))
        {
            // The path that was found is not the one that was meant.
            return RestAnswers.ProblemAsync(context, RawPath.DotSegment);
        }

        context.Response.Headers.Allow = allow;
        return RestAnswers.ProblemAsync(context, new Problem(
            ProblemType.MethodNotAllowed, $"{OptionValues.Shown(context.Request.Method)} does not work here; use {allow}."));
    }

    /// <summary>A request that is not valid HTTP, or whose body did not come: the server's exception carries the status.</summary>
    private static async ValueTask AnswerBrokenAsync(HttpContext context, BadHttpRequestException e)
    {
        if (context.Response.HasStarted || context.RequestAborted.IsCancellationRequested)
        {
            return;
        }

        var type = e.StatusCode switch
        {
            StatusCodes.Status413PayloadTooLarge => ProblemType.BatchTooLarge,
            StatusCodes.Status408RequestTimeout => ProblemType.Timeout,
            _ => ProblemType.BadRequest,
        };
        await RestAnswers.ProblemAsync(context, new Problem(type));
    }

    private static partial class Log
    {
        [LoggerMessage(200, LogLevel.Error, "{Method} {Pattern} failed")]
        public static partial void RequestFailed(ILogger logger, Exception exception, string method, string? pattern);
    }
}
