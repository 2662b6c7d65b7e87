using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using PushQueue.Queues;
using PushQueue.Security;
using PushQueue.Transports;
using PushQueue.Transports.Rest;

namespace PushQueue.Dialects;

/// <summary>
/// A dialect's paths, each with a handler per method and what that asks of who calls it. The border of a dialect: what escapes a handler is
/// answered in the dialect's form, and logged, here. A path takes every method to itself; HEAD is a wrong one, because a GET of a queue
/// takes a message.
/// </summary>
internal sealed partial class DialectRoutes(IEndpointRouteBuilder endpoints, Func<HttpContext, int, string, Task> refuseAsync)
{
    private readonly ILogger _logger = endpoints.ServiceProvider.GetRequiredService<ILogger<DialectRoutes>>();

    public void Map(string pattern, params (string Method, AccessRule Rule, RequestDelegate Handler)[] methods) =>
        _ = MapAll(pattern, methods);

    /// <summary>As <see cref="Map"/>, for handlers that are <see cref="ShortRequest"/>s.</summary>
    public void MapShort(string pattern, params (string Method, AccessRule Rule, RequestDelegate Handler)[] methods) =>
        MapAll(pattern, methods).WithMetadata(ShortRequest.Mark);

    private IEndpointConventionBuilder MapAll(string pattern, (string Method, AccessRule Rule, RequestDelegate Handler)[] methods)
    {
        var allow = string.Join(", ", methods.Select(method => method.Method));
        return endpoints.Map(pattern, context => InvokeAsync(context, methods, allow))
            .RequireAccess([.. methods.Select(method => ((string?)method.Method, method.Rule))]);
    }

    private async Task InvokeAsync(HttpContext context, (string Method, AccessRule Rule, RequestDelegate Handler)[] methods, string allow)
    {
        try
        {
            foreach (var (method, _, handler) in methods)
            {
                if (HttpMethods.Equals(context.Request.Method, method))
                {
                    await handler(context);
                    return;
                }
            }

            context.Response.Headers.Allow = allow;
            await refuseAsync(
                context,
                StatusCodes.Status405MethodNotAllowed,
                $"{OptionValues.Shown(context.Request.Method)} does not work here; use {allow}.");
        }
        catch (Exception e) when (ClosedConnections.Explain(context, e))
        {
            // The client is gone; there is nobody to answer.
        }
        catch (BadHttpRequestException e) when (!context.Response.HasStarted)
        {
            await refuseAsync(context, e.StatusCode, "The request is broken; send a complete and valid HTTP request.");
        }
        catch (IOException e) when (RequestBody.IsChunkTooLong(e) && !context.Response.HasStarted)
        {
            await refuseAsync(context, StatusCodes.Status400BadRequest, RequestBody.ChunkTooLong);
        }
        catch (StoreUnavailableException e) when (!context.Response.HasStarted)
        {
            await refuseAsync(context, StatusCodes.Status503ServiceUnavailable, e.Message);
        }
        catch (Exception e) when (!context.Response.HasStarted)
        {
            Log.RequestFailed(_logger, e, context.Request.Method, (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText);
            await refuseAsync(
                context, StatusCodes.Status500InternalServerError, "The server failed; the request may have been carried out.");
        }
    }

    private static partial class Log
    {
        [LoggerMessage(600, LogLevel.Error, "{Method} {Pattern} failed")]
        public static partial void RequestFailed(ILogger logger, Exception exception, string method, string? pattern);
    }
}
