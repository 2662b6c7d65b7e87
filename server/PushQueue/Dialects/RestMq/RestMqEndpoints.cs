using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using PushQueue.Security;
using static PushQueue.Dialects.RestMq.AccessSection;
using Rule = PushQueue.Security.AccessRule;

namespace PushQueue.Dialects.RestMq;

/// <summary>RestMQ's routes, each with what it asks of a key, and the section of RestMQ's own access file that guards it.</summary>
internal static class RestMqEndpoints
{
    public const string Name = "restmq";

    public static Dialect Dialect { get; } = new(Name, Map, RestMqAnswers.RefuseAsync);

    public static IServiceCollection AddRestMq(this IServiceCollection services)
    {
        services.TryAddSingleton<RestMqOptions>();
        services.TryAddSingleton<AccessFile>();
        services.TryAddSingleton<AccessGuard>();
        services.TryAddSingleton<RestMqQueues>();
        services.TryAddSingleton<RestMqSettings>();
        services.TryAddSingleton<RestMqCommands>();
        services.TryAddSingleton<RestMqXmlRpc>();
        services.TryAddSingleton<RestMqPages>();
        services.TryAddSingleton<RestMqStreams>();
        services.TryAddSingleton<Collectd>();
        services.TryAddSingleton<SyslogReceiver>();
        return services;
    }

    private static void Map(IEndpointRouteBuilder endpoints)
    {
        var services = endpoints.ServiceProvider;
        var routes = new DialectRoutes(endpoints, RestMqAnswers.RefuseAsync);
        var guard = services.GetRequiredService<AccessGuard>();
        var queues = services.GetRequiredService<RestMqQueues>();
        var settings = services.GetRequiredService<RestMqSettings>();
        var streams = services.GetRequiredService<RestMqStreams>();
        var collectd = services.GetRequiredService<Collectd>();

        MapShort(
            "/",
            ("GET", Rule.QueueInRequest(Permissions.Take), RestConsumer, queues.TakeAnywhereAsync),
            ("POST", Rule.QueueInRequest(Permissions.Put), RestProducer, queues.PutAnywhereAsync));
        Map("/q", ("GET", Rule.AnyKey, RestConsumer, queues.ListAsync));
        MapShort(
            "/q/{queue}",
            ("GET", Rule.Take, RestConsumer, queues.TakeAsync),
            ("POST", Rule.Put, RestProducer, queues.PutAsync),
            ("DELETE", Rule.Manage, RestProducer, queues.DeleteAsync));
        Map("/c/{queue}", ("GET", Rule.Listen, CometConsumer, streams.CometAsync));
        Map("/sse/{queue}", ("GET", Rule.Listen, CometConsumer, streams.EventsAsync));

        // HTTP/2 opens a WebSocket by CONNECT.
        Map(
            "/ws/{queue}",
            ("GET", Rule.Listen, WebSocketConsumer, streams.SocketAsync),
            ("CONNECT", Rule.Listen, WebSocketConsumer, streams.SocketAsync));
        Map(
            "/p/{queue}",
            ("GET", Rule.Stats, RestConsumer, settings.GetPolicyAsync),
            ("POST", Rule.Manage, RestProducer, settings.SetPolicyAsync));
        Map("/control", ("GET", Rule.AnyKey, RestConsumer, settings.GetAllStatusAsync));
        Map(
            "/control/{queue}",
            ("GET", Rule.Stats, RestConsumer, settings.GetStatusAsync),
            ("POST", Rule.Manage, RestProducer, settings.SetStatusAsync));
        Map("/stats", ("GET", Rule.AnyKey, RestConsumer, settings.GetAllStatisticsAsync));
        Map("/stats/{queue}", ("GET", Rule.Stats, RestConsumer, settings.GetStatisticsAsync));

        // It names messages, as a look at them does.
        Map("/j/{queue}", ("GET", Rule.Look, RestConsumer, services.GetRequiredService<RestMqPages>().QueueAsync));
        Map(
            "/queue",
            ("GET", Rule.AnyKey, RestConsumer, RestMqCommands.HelpAsync),
            (
                "POST",
                Rule.QueueInRequest(RestMqCommands.AllPermissions),
                RestProducer,
                services.GetRequiredService<RestMqCommands>().ExecuteAsync));
        Map(
            "/xmlrpc",
            (
                "POST",
                Rule.QueueInRequest(Permissions.Put | Permissions.Take),
                RestProducer,
                services.GetRequiredService<RestMqXmlRpc>().CallAsync));
        Map("/collectd/data", ("POST", Rule.Put with { Only = Collectd.DataQueue }, RestProducer, collectd.DataAsync));
        Map("/collectd/event", ("POST", Rule.Put with { Only = Collectd.EventQueue }, RestProducer, collectd.EventAsync));

        void Map(string pattern, params (string Method, Rule Rule, AccessSection Section, RequestDelegate Handler)[] methods) =>
            routes.Map(pattern, Guarded(methods));

        void MapShort(string pattern, params (string Method, Rule Rule, AccessSection Section, RequestDelegate Handler)[] methods) =>
            routes.MapShort(pattern, Guarded(methods));

        (string, Rule, RequestDelegate)[] Guarded((string Method, Rule Rule, AccessSection Section, RequestDelegate Handler)[] methods) =>
            [.. methods.Select(method => (method.Method, method.Rule, guard.Around(method.Section, method.Handler)))];
    }
}
