using Microsoft.AspNetCore.Builder;

namespace PushQueue.Security;

internal static class RouteAccessExtensions
{
    /// <summary>
    /// Says what an endpoint asks of who calls it, whatever the method. Every endpoint needs this, or serves nobody where keys are asked
    /// for.
    /// </summary>
    public static T RequireAccess<T>(this T endpoint, AccessRule rule)
        where T : IEndpointConventionBuilder =>
        endpoint.WithMetadata(new RouteAccess(rule));

    /// <summary>The same, by method.</summary>
    public static T RequireAccess<T>(this T endpoint, params (string? Method, AccessRule Rule)[] rules)
        where T : IEndpointConventionBuilder =>
        endpoint.WithMetadata(new RouteAccess(rules));
}
