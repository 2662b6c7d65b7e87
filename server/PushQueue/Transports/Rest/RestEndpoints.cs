using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using PushQueue.Diagnostics;
using PushQueue.Queues;
using PushQueue.Security;
using PushQueue.Transports.Commands;
using PushQueue.Transports.OpenApi;
using PushQueue.Transports.Operations;
using PushQueue.Transports.Watching;

namespace PushQueue.Transports.Rest;

/// <summary>Puts the native API together.</summary>
internal static class RestEndpoints
{
    public static IServiceCollection AddRest(this IServiceCollection services)
    {
        services.TryAddSingleton<PutEndpoint>();
        services.TryAddSingleton<TakeEndpoints>();
        services.TryAddSingleton<BatchEndpoint>();
        services.TryAddSingleton<QueueEndpoints>();
        services.TryAddSingleton<MessageEndpoints>();
        services.TryAddSingleton<LeaseEndpoints>();
        services.TryAddSingleton<SettingsEndpoints>();
        services.TryAddSingleton<INodes, OneNode>();
        services.TryAddSingleton<ClusterAnswers>();
        services.TryAddSingleton<IOtherNodes>(static provider => provider.GetRequiredService<ClusterAnswers>());
        services.TryAddSingleton<StatsEndpoints>();
        services.TryAddSingleton<WorkerEndpoints>();
        services.TryAddSingleton<ConsumerEndpoints>();
        services.TryAddSingleton<PresenceEndpoints>();
        services.TryAddSingleton<NodeEndpoints>();
        services.TryAddSingleton<HealthEndpoints>();
        services.TryAddSingleton<BackupEndpoint>();
        services.AddApiDocument();
        services.TryAddSingleton<OpenApiEndpoint>();
        services.TryAddSingleton<TokenEndpoint>();
        services.TryAddSingleton<CommandEndpoint>();
        services.TryAddSingleton<OperationExecutor>();
        services.TryAddSingleton<LeaseCommands>();
        services.TryAddSingleton<PutCommands>();
        services.TryAddSingleton<CommandExecutor>();
        services.TryAddSingleton<ICommandExecutor>(static provider => provider.GetRequiredService<CommandExecutor>());
        services.AddHostedService<WebServerRefusals>();
        return services;
    }

    public static IEndpointRouteBuilder MapRest(this IEndpointRouteBuilder endpoints)
    {
        var routes = new RestRoutes(endpoints);
        var services = endpoints.ServiceProvider;
        var takes = services.GetRequiredService<TakeEndpoints>();
        var queues = services.GetRequiredService<QueueEndpoints>();
        services.GetRequiredService<PutEndpoint>().Map(routes, takes.TakeAsync, queues.DeleteAsync);
        services.GetRequiredService<BatchEndpoint>().Map(routes, takes.TakeManyAsync);
        queues.Map(routes);
        services.GetRequiredService<MessageEndpoints>().Map(routes);
        services.GetRequiredService<LeaseEndpoints>().Map(routes);
        services.GetRequiredService<SettingsEndpoints>().Map(routes);
        services.GetRequiredService<ClusterAnswers>().Listen();
        services.GetRequiredService<StatsEndpoints>().Map(routes);
        services.GetRequiredService<WorkerEndpoints>().Map(routes);
        services.GetRequiredService<ConsumerEndpoints>().Map(routes);
        services.GetRequiredService<NodeEndpoints>().Map(routes);
        services.GetRequiredService<HealthEndpoints>().Map(routes);
        services.GetRequiredService<BackupEndpoint>().Map(routes);
        services.GetRequiredService<OpenApiEndpoint>().Map(routes);
        services.GetRequiredService<TokenEndpoint>().Map(routes);
        services.GetRequiredService<CommandEndpoint>().Map(routes);
        services.GetRequiredService<PresenceEndpoints>().MapStream(endpoints);
        routes.MapWrongMethod("/c", HttpMethods.Get);
        routes.MapWrongMethod("/sse", HttpMethods.Get);
        routes.MapWrongMethod("/c/{queue}", HttpMethods.Get);
        routes.MapWrongMethod("/sse/{queue}", HttpMethods.Get);
        routes.MapWrongMethod("/sse/{queue}/presence", HttpMethods.Get);
        routes.MapWrongMethod("/ws/{queue}", HttpMethods.Get);
        routes.MapWrongMethod("/ws", HttpMethods.Get);
        return endpoints;
    }

    /// <summary>Answers every path that nothing else takes. For a server that is all PushQueue's.</summary>
    public static IEndpointRouteBuilder MapNotFound(this IEndpointRouteBuilder endpoints)
    {
        // The lowest order: whatever a host maps comes before it.
        endpoints.Map("/{**path}", AnswerNotFoundAsync).WithOrder(int.MaxValue).RequireAccess(AccessRule.Public);
        return endpoints;
    }

    private static Task AnswerNotFoundAsync(HttpContext context)
    {
        var problem = RawPath.HasDotSegment(context)
            ? RawPath.DotSegment
            : Problem.NotFound("Nothing is served under this path; queues are under /q/{queue}.");
        return RestAnswers.ProblemAsync(context, problem).AsTask();
    }
}
