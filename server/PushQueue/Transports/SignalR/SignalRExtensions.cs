using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using PushQueue.Delivery;
using PushQueue.Diagnostics;
using PushQueue.Queues;
using PushQueue.Security;
using PushQueue.Transports.Streaming;
using PushQueue.Transports.Watching;

namespace PushQueue.Transports.SignalR;

internal static class SignalRExtensions
{
    public static IServiceCollection AddPushHub(this IServiceCollection services)
    {
        // SignalR takes a hub's own options only where they were added by this call, with what is set here.
        services.AddSignalR().AddHubOptions<PushHub>(static _ => { });
        services.AddOptions<HubOptions<PushHub>>().Configure<IServiceProvider>(static (hub, provider) =>
        {
            // Pages are records of these; a client of another protocol could not be served, and SignalR would cut it at the first push.
            hub.SupportedProtocols = [HubFormat.Envelopes.Protocol, PackedHubFormat.Envelopes.Protocol];
            hub.MaximumReceiveMessageSize = FrameLimit.BytesMax(
                provider.GetRequiredService<IOptions<DeliveryOptions>>().Value, provider.GetService<IMessageBroker>());
            hub.StatefulReconnectBufferSize = 0;
            hub.AddFilter<HubBorder>();

            // A put or take that waits must not hold up the ack that it may be waiting for.
            hub.MaximumParallelInvocationsPerClient = 16;
        });
        services.TryAddSingleton<PushHubProtocols>();
        services.TryAddSingleton(static provider =>
            ActivatorUtilities.CreateInstance<HubConnectionHandler<PushHub>>(new HubServices(provider)));
        services.TryAddKeyedSingleton(
            PushLifetimeManager.Inner, (provider, _) => HubBackplaneExtensions.CreateInner(provider, services));
        services.TryAddSingleton<PushLifetimeManager>();
        services.AddSingleton<HubLifetimeManager<PushHub>>(static provider => provider.GetRequiredService<PushLifetimeManager>());
        services.TryAddSingleton<HubBorder>();
        services.TryAddSingleton<HubCommands>();
        services.TryAddSingleton<HubConsume>();
        services.TryAddSingleton<DiagnosticsOptions>();
        services.TryAddSingleton<HubWatch>();
        services.TryAddSingleton<WatcherPlaces>();
        services.TryAddSingleton<INotices, HubNotices>();
        services.TryAddSingleton<PresenceWatch>();
        services.TryAddSingleton<HubPresence>();
        services.TryAddSingleton<ClusterTail>();
        services.TryAddSingleton<HubTail>();
        services.TryAddSingleton<HubSocketEndpoint>();
        return services;
    }

    public static IEndpointRouteBuilder MapPushHub(this IEndpointRouteBuilder routes)
    {
        routes.ServiceProvider.GetRequiredService<ClusterTail>().Listen();
        var endpoint = routes.ServiceProvider.GetRequiredService<HubSocketEndpoint>();
        var hub = routes.MapHub<PushHub>("/hub", static options =>
        {
            // Our own watch cuts stuck clients; without a timeout SignalR's transport sends on its cheaper path.
            options.TransportSendTimeout = Timeout.InfiniteTimeSpan;

            // More than one record after another counts as one message there, which would corrupt its sequence.
            options.AllowStatefulReconnects = false;
        }).RequireAccess(AccessRule.Hub);

        // Within SignalR's own endpoint rather than next to it, so that the checks of its callers hold for both.
        hub.Add(builder =>
        {
            var signalR = builder.RequestDelegate!;
            if (!builder.Metadata.OfType<NegotiateMetadata>().Any())
            {
                builder.RequestDelegate = context => HubSocketEndpoint.Serves(context) ? endpoint.ServeAsync(context)
                    : WebSocketHandshake.IsTooOld(context) ? WebSocketHandshake.RefuseAsync(context, WebSocketHandshake.WhyNot(context)!)
                    : signalR(context);
            }
        });
        return routes;
    }
}
