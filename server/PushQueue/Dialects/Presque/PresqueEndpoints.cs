using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using PushQueue.Security;

namespace PushQueue.Dialects.Presque;

/// <summary>The API of presque, a job queue for workers that poll.</summary>
internal static class PresqueEndpoints
{
    public static Dialect Dialect { get; } = new("presque", Map, JsonAnswers.ErrorAsync);

    public static IServiceCollection AddPresque(this IServiceCollection services)
    {
        services.TryAddSingleton<PresqueJobs>();
        services.TryAddSingleton<PresqueBatches>();
        services.TryAddSingleton<PresqueQueues>();
        services.TryAddSingleton<PresqueWorkers>();
        services.TryAddSingleton<PresquePage>();
        return services;
    }

    private static void Map(IEndpointRouteBuilder endpoints)
    {
        var services = endpoints.ServiceProvider;
        var jobs = services.GetRequiredService<PresqueJobs>();
        var batches = services.GetRequiredService<PresqueBatches>();
        var queues = services.GetRequiredService<PresqueQueues>();
        var workers = services.GetRequiredService<PresqueWorkers>();
        var routes = new DialectRoutes(endpoints, JsonAnswers.ErrorAsync);

        void MapJson(string pattern, params (string Method, AccessRule Rule, JsonHandler Handler)[] methods) =>
            routes.Map(pattern, [.. methods.Select(method => (method.Method, method.Rule, JsonAnswers.Handle(method.Handler)))]);

        // A worker that puts a job back may put any job, so it needs the right to put.
        MapJson(
            "/q/{queue}",
            ("GET", AccessRule.Take, jobs.TakeAsync),
            ("POST", AccessRule.Put, jobs.PutAsync),
            ("PUT", AccessRule.Put, jobs.PutBackAsync),
            ("DELETE", AccessRule.Manage, jobs.DeleteAsync));
        MapJson(
            "/qb/{queue}",
            ("GET", AccessRule.Take, batches.TakeAsync),
            ("POST", AccessRule.Put, batches.PutAsync),
            ("PUT", AccessRule.AnyKey, PresqueBatches.Refuse),
            ("DELETE", AccessRule.AnyKey, PresqueBatches.Refuse));
        MapJson("/j/{queue}", ("GET", AccessRule.Stats, queues.CountersAsync));
        MapJson("/status/{queue}", ("GET", AccessRule.Stats, queues.StatusAsync));
        MapJson("/stats/{queue}", ("GET", AccessRule.Stats, queues.StatusAsync));
        MapJson("/status", ("GET", AccessRule.AnyKey, queues.ListAsync));
        MapJson("/stats", ("GET", AccessRule.AnyKey, queues.ListAsync));
        MapJson("/control/{queue}", ("GET", AccessRule.Stats, queues.ControlAsync), ("POST", AccessRule.Manage, queues.SetControlAsync));
        MapJson("/w/{queue}", ("POST", AccessRule.Settle, workers.RegisterAsync), ("DELETE", AccessRule.Settle, workers.UnregisterAsync));
        MapJson(
            "/w",
            ("GET", AccessRule.QueueInRequest(PresqueWorkers.Sees), workers.ShowAsync),
            ("POST", AccessRule.AnyKey, NoName),
            ("DELETE", AccessRule.AnyKey, NoName));
        foreach (var pattern in (string[])["/q", "/qb", "/j", "/control"])
        {
            MapJson(
                pattern,
                ("GET", AccessRule.AnyKey, NoName),
                ("POST", AccessRule.AnyKey, NoName),
                ("PUT", AccessRule.AnyKey, NoName),
                ("DELETE", AccessRule.AnyKey, NoName));
        }

        routes.Map("/", ("GET", AccessRule.AnyKey, services.GetRequiredService<PresquePage>().ShowAsync));
    }

    private static ValueTask<JsonError?> NoName(HttpContext context) => new(PresqueAnswers.NoName);
}
