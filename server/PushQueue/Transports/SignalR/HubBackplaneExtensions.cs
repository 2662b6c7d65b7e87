using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.StackExchangeRedis;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using StackExchange.Redis;

namespace PushQueue.Transports.SignalR;

internal static class HubBackplaneExtensions
{
    /// <summary>
    /// Connects the hubs of all nodes through Redis: the queue's own, and those of the application. An application that registers another
    /// backplane afterwards gets that one for all hubs.
    /// </summary>
    public static IServiceCollection AddHubBackplane(
        this IServiceCollection services, Func<IServiceProvider, ConfigurationOptions> configuration)
    {
        services.TryAddSingleton(provider => new HubBackplane(configuration(provider)));
        services.AddSignalR().AddStackExchangeRedis();
        services.AddOptions<RedisOptions>().Configure<HubBackplane>(
            static (redis, backplane) => redis.ConnectionFactory = _ => backplane.ConnectAsync());
        return services;
    }

    /// <summary>
    /// The manager that knows the connections of groups and users: that of the backplane, or SignalR's own on a single node. SignalR takes
    /// the registration for all hubs; the queue's hub has one of its own in front (<see cref="PushLifetimeManager"/>).
    /// </summary>
    internal static HubLifetimeManager<PushHub> CreateInner(IServiceProvider provider, IServiceCollection services)
    {
        var registered = services.Last(static service => service.ServiceType == typeof(HubLifetimeManager<>)).ImplementationType!;
        var hub = new HubServices(provider);
        return registered == typeof(RedisHubLifetimeManager<>)
            ? ActivatorUtilities.CreateInstance<RedisHubLifetimeManager<PushHub>>(
                hub, ActivatorUtilities.CreateInstance<BackplaneLogger>(provider))
            : (HubLifetimeManager<PushHub>)ActivatorUtilities.CreateInstance(hub, registered.MakeGenericType(typeof(PushHub)));
    }
}
