using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace PushQueue.Transports.Streaming;

internal static class StreamingExtensions
{
    // HTTP/2 opens a WebSocket by CONNECT.
    private static readonly string[] WebSocketMethods = [HttpMethods.Get, HttpMethods.Connect];

    public static IServiceCollection AddStreams(this IServiceCollection services)
    {
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
        routes.MapGet("/c/{queue}", (RequestDelegate)http.ServeCometAsync);
        routes.MapGet("/sse/{queue}", (RequestDelegate)http.ServeEventsAsync);
        routes.MapMethods("/ws/{queue}", WebSocketMethods, (RequestDelegate)webSocket.ServeQueueAsync);
        routes.MapMethods("/ws", WebSocketMethods, (RequestDelegate)webSocket.ServeManyAsync);
        return routes;
    }
}
