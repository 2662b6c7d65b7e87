using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using PushQueue.Queues;
using PushQueue.Security;
using PushQueue.Transports.OpenApi;
using PushQueue.Transports.Operations;

namespace PushQueue.Transports.Streaming;

internal static class StreamingExtensions
{
    // HTTP/2 opens a WebSocket by CONNECT.
    private static readonly string[] WebSocketMethods = [HttpMethods.Get, HttpMethods.Connect];

    public static IServiceCollection AddStreams(this IServiceCollection services)
    {
        services.AddAccess();
        services.TryAddSingleton<MessageMeter>();
        services.TryAddSingleton<LimitHits>();
        services.TryAddSingleton<AccessBorder>();
        services.TryAddSingleton<ConnectionCallers>();
        services.TryAddSingleton<TokenOperations>();
        services.TryAddSingleton<QueuePolicies>();
        services.TryAddSingleton<Subscriptions>();
        services.TryAddSingleton<HttpStreamEndpoint>();
        services.TryAddSingleton<WebSocketCommands>();
        services.TryAddSingleton<WebSocketEndpoint>();
        return services;
    }

    /// <summary>Comet, server-sent events and WebSocket.</summary>
    public static IEndpointRouteBuilder MapStreams(this IEndpointRouteBuilder routes)
    {
        var http = routes.ServiceProvider.GetRequiredService<HttpStreamEndpoint>();
        var webSocket = routes.ServiceProvider.GetRequiredService<WebSocketEndpoint>();
        routes.MapGet("/c/{queue}", (RequestDelegate)http.ServeCometAsync)
            .Describe(HttpMethods.Get, StreamOperations.StreamLines).RequireAccess(AccessRule.Listen);
        routes.MapGet("/sse/{queue}", (RequestDelegate)http.ServeEventsAsync)
            .Describe(HttpMethods.Get, StreamOperations.StreamEvents).RequireAccess(AccessRule.Listen);
        routes.MapGet("/c", (RequestDelegate)http.ServeManyCometAsync)
            .Describe(HttpMethods.Get, StreamOperations.StreamLinesOfMany).RequireAccess(AccessRule.ListenToMany);
        routes.MapGet("/sse", (RequestDelegate)http.ServeManyEventsAsync)
            .Describe(HttpMethods.Get, StreamOperations.StreamEventsOfMany).RequireAccess(AccessRule.ListenToMany);
        routes.MapMethods("/ws/{queue}", WebSocketMethods, (RequestDelegate)webSocket.ServeQueueAsync)
            .Describe(HttpMethods.Get, StreamOperations.Socket).RequireAccess(AccessRule.Listen);
        routes.MapMethods("/ws", WebSocketMethods, (RequestDelegate)webSocket.ServeManyAsync)
            .Describe(HttpMethods.Get, StreamOperations.SocketOfMany).RequireAccess(AccessRule.Socket);
        return routes;
    }
}
