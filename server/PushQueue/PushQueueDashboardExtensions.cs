using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.DependencyInjection;
using PushQueue.Dashboard;
using PushQueue.Transports.SignalR;

namespace PushQueue;

/// <summary>Maps the dashboard into an application.</summary>
public static class PushQueueDashboardExtensions
{
    private const string Hub = "/hub";

    /// <summary>
    /// Serves the dashboard under a path of the application. Its pages are public files; the API, which
    /// <see cref="PushQueueEndpointExtensions.MapPushQueue"/> maps, decides what a user sees and does there. Let both have the same
    /// authorization: <c>app.MapPushQueueDashboard("/queues").RequireAuthorization("operators")</c>.
    /// </summary>
    /// <param name="endpoints">The application, or a group of it.</param>
    /// <param name="pattern">The path of the dashboard.</param>
    /// <param name="api">The path of the API, such as <c>/mq</c>. Null to find it; needed if the path of the API has parameters, or if
    /// the API is mapped twice.</param>
    /// <returns>For what the pages are to have, such as <c>RequireAuthorization()</c> or <c>RequireHost()</c>.</returns>
    /// <exception cref="ArgumentException"><paramref name="api"/> does not begin with a slash.</exception>
    public static IEndpointConventionBuilder MapPushQueueDashboard(
        this IEndpointRouteBuilder endpoints, [StringSyntax("Route")] string pattern = "/queues", string? api = null)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentNullException.ThrowIfNull(pattern);
        if (api is not null && !api.StartsWith('/') && api.Length > 0)
        {
            throw new ArgumentException($"The path of the API is '{api}'; begin it with a slash.", nameof(api));
        }

        var services = endpoints.ServiceProvider;
        var dashboard = new DashboardEndpoint(() => api?.TrimEnd('/') ?? FindApi(services.GetRequiredService<EndpointDataSource>()));
        var group = endpoints.MapGroup(pattern);
        group.MapMethods($"/{{**{DashboardEndpoint.PathParameter}}}", [HttpMethods.Get, HttpMethods.Head], dashboard.ServeAsync)
            .WithDisplayName("PushQueue dashboard");
        return group;
    }

    /// <summary>The path of the API: the one of its hub, without the hub's own name.</summary>
    internal static string FindApi(EndpointDataSource endpoints)
    {
        string[] paths =
        [
            .. endpoints.Endpoints.OfType<RouteEndpoint>()
                .Where(static endpoint => endpoint.Metadata.GetMetadata<HubMetadata>()?.HubType == typeof(PushHub)
                    && endpoint.Metadata.GetMetadata<NegotiateMetadata>() is null)
                .Select(static endpoint => '/' + endpoint.RoutePattern.RawText!.Trim('/'))
        ];
        return paths switch
        {
            [] => throw new InvalidOperationException("The dashboard has no API; map it, too: app.MapGroup(\"/mq\").MapPushQueue()."),
            [var path] when !path.Contains('{', StringComparison.Ordinal) => path[..^Hub.Length],
            [var path] => throw new InvalidOperationException(
                $"The path of the API has parameters ('{path[..^Hub.Length]}'); name the path in the parameter 'api' of "
                + "MapPushQueueDashboard."),
            _ => throw new InvalidOperationException(
                $"The API is mapped {paths.Length} times; name the path of one in the parameter 'api' of MapPushQueueDashboard."),
        };
    }
}
