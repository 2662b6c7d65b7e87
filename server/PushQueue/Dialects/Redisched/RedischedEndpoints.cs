using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using PushQueue.Queues;
using PushQueue.Security;

namespace PushQueue.Dialects.Redisched;

/// <summary>The API of redisched, a scheduler whose jobs carry their clients' ids and fall due by their clients' clocks.</summary>
internal static class RedischedEndpoints
{
    public static Dialect Dialect { get; } = new("redisched", Map, JsonAnswers.ErrorAsync);

    public static IServiceCollection AddRedisched(this IServiceCollection services, RedischedOptions options)
    {
        services.TryAddSingleton(options);
        services.TryAddSingleton<RedischedJobs>();
        services.TryAddSingleton<RedischedReservations>();
        services.TryAddSingleton<RedischedSchedule>();
        services.TryAddSingleton<RedischedSubscriptions>();
        services.TryAddSingleton<PushTargets>();
        services.TryAddSingleton<PushSender>();
        services.TryAddSingleton<PushService>();
        services.AddHostedService(static provider => provider.GetRequiredService<PushService>());
        services.AddSingleton<IQueueChangeListener>(static provider => provider.GetRequiredService<PushService>());
        services.AddHttpClient(PushSender.ClientName)
            .ConfigurePrimaryHttpMessageHandler(static provider => provider.GetRequiredService<PushTargets>().NewHandler());
        return services;
    }

    private static void Map(IEndpointRouteBuilder endpoints)
    {
        var services = endpoints.ServiceProvider;
        var broker = services.GetRequiredService<IMessageBroker>();
        var jobs = services.GetRequiredService<RedischedJobs>();
        var reservations = services.GetRequiredService<RedischedReservations>();
        var schedule = services.GetRequiredService<RedischedSchedule>();
        var subscriptions = services.GetRequiredService<RedischedSubscriptions>();
        var routes = new DialectRoutes(endpoints, JsonAnswers.ErrorAsync);

        void MapJson(string pattern, params (string Method, AccessRule Rule, JsonHandler Handler)[] methods) =>
            routes.Map(pattern, [.. methods.Select(method => (method.Method, method.Rule, JsonAnswers.Handle(method.Handler)))]);

        JsonHandler Reading(int topicFromEnd, RedischedHandler handler) =>
            context => RedischedRequest.HandleAsync(context, topicFromEnd, broker.MessageBytesMax, handler);

        MapJson("/t/{queue}/put", ("POST", AccessRule.Put, Reading(1, jobs.PutAsync)));
        MapJson("/t/{queue}/delete", ("POST", AccessRule.Cancel, Reading(1, jobs.DeleteAsync)));
        MapJson("/t/{queue}/jobs/{id}", ("GET", AccessRule.Look, jobs.ShowAsync));
        MapJson("/t/{queue}/ready", ("GET", AccessRule.Stats, jobs.CountReadyAsync));

        // These clients hold no receipts: to release a job is to name it, so it asks for the right to take it.
        MapJson("/t/{queue}/reserve", ("POST", AccessRule.Take, Reading(1, reservations.ReserveAsync)));
        MapJson("/t/{queue}/pull", ("POST", AccessRule.Take, Reading(1, reservations.PullAsync)));
        MapJson("/t/{queue}/release", ("POST", AccessRule.Take, Reading(1, reservations.ReleaseAsync)));
        MapJson("/t/{queue}/requeue", ("POST", AccessRule.Take, Reading(1, reservations.RequeueAsync)));
        MapJson("/schedule/{queue}", ("POST", AccessRule.Put, Reading(0, schedule.ScheduleAsync)));
        MapJson("/cancel/{queue}", ("POST", AccessRule.Cancel, Reading(0, schedule.CancelAsync)));
        MapJson(
            "/subscribe/{queue}",
            ("POST", AccessRule.Manage, Reading(0, subscriptions.SubscribeAsync)),
            ("DELETE", AccessRule.Manage, subscriptions.UnsubscribeAsync));
    }
}
