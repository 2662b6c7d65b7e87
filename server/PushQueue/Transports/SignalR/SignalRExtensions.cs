using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using PushQueue.Queues;

namespace PushQueue.Transports.SignalR;

internal static class SignalRExtensions
{
    // A call around the largest body, whose JSON may be twice its size.
    private const long MessageSlack = 64 * 1024;

    public static IServiceCollection AddPushHub(this IServiceCollection services)
    {
        // Without a call of its own SignalR takes every option of this hub from the global ones, whatever is configured below.
        services.AddSignalR().AddHubOptions<PushHub>(static _ => { });
        services.AddOptions<HubOptions<PushHub>>().Configure<IServiceProvider>(static (hub, provider) =>
        {
            // Pages are JSON records; a client of another protocol could not be served, and SignalR would cut it at the first push.
            hub.SupportedProtocols = ["json"];
            hub.MaximumReceiveMessageSize =
                ((provider.GetService<IMessageBroker>()?.MessageBytesMax ?? 1024 * 1024) * 2L) + MessageSlack;
            hub.StatefulReconnectBufferSize = 0;

            // A put or take that waits must not hold up the ack that it may be waiting for.
            hub.MaximumParallelInvocationsPerClient = 16;
        });
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHubProtocol, PushHubProtocol>());
        services.TryAddSingleton<PushLifetimeManager>();
        services.AddSingleton<HubLifetimeManager<PushHub>>(static provider => provider.GetRequiredService<PushLifetimeManager>());
        services.TryAddSingleton<HubCommands>();
        services.TryAddSingleton<HubConsume>();
        return services;
    }

    public static IEndpointRouteBuilder MapPushHub(this IEndpointRouteBuilder routes)
    {
        routes.MapHub<PushHub>("/hub", static options =>
        {
            // Our own watch cuts stuck clients; without a timeout SignalR's transport sends on its cheaper path.
            options.TransportSendTimeout = Timeout.InfiniteTimeSpan;

            // More than one record after another counts as one message there, which would corrupt its sequence.
            options.AllowStatefulReconnects = false;
        });
        return routes;
    }
}
