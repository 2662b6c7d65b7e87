using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using PushQueue.Delivery;
using PushQueue.Delivery.Policies;
using PushQueue.Diagnostics;
using PushQueue.Dialects;
using PushQueue.Dialects.Presque;
using PushQueue.Dialects.Redisched;
using PushQueue.Dialects.RestMq;
using PushQueue.Hosting;
using PushQueue.InProcess;
using PushQueue.Queues;
using PushQueue.Security;
using PushQueue.Storage.Embedded;
using PushQueue.Storage.Redis;
using PushQueue.Transports.Watching;
using PushQueue.Transports.Rest;
using PushQueue.Transports.SignalR;
using PushQueue.Transports.Streaming;

namespace PushQueue;

/// <summary>Adds the queue to an application.</summary>
public static class PushQueueServiceCollectionExtensions
{
    /// <summary>Adds everything that <see cref="PushQueueEndpointExtensions.MapPushQueue"/> serves.</summary>
    /// <exception cref="PushQueueStartException">Options are wrong; the message names them all.</exception>
    public static IServiceCollection AddPushQueue(this IServiceCollection services, Action<PushQueueOptions>? configure = null)
    {
        var options = new PushQueueOptions();
        configure?.Invoke(options);
        var errors = options.Validate();
        if (errors.Count > 0)
        {
            throw new PushQueueStartException(string.Join('\n', errors));
        }

        if (options.Security is { Jwt.Authority: not null, GrantsOf: null })
        {
            options.Security.UseClaims();
        }

        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(options);
        services.TryAddSingleton(options.Security);
        services.TryAddSingleton(options.Connections);
        services.TryAddSingleton(new PushMark(options.Storage.Redis is { } redis
            ? $"{redis} {options.Storage.RedisKeyPrefix}"
            : $"{Environment.MachineName} {Path.GetFullPath(options.Storage.DataDirectory)}"));
        services.TryAddSingleton<ConnectionCounts>();
        services.AddAccess().AddHostedService<AccessService>();
        services.AddHealthChecks().AddCheck<NodeHealthCheck>(NodeHealthCheck.Name);
        services.TryAddSingleton(options.RestMq);
        services.TryAddSingleton<IPushHubContext, PushHubContext>();
        return services
            .AddQueues(options.Queues)
            .AddStorage(options)
            .AddDiagnostics(options.Diagnostics)
            .AddDelivery(options.Delivery)
            .AddRest()
            .AddStreams()
            .AddPushHub()
            .AddInProcessClient()
            .AddHandlers()
            .AddDialects(options);
    }

    private static IServiceCollection AddDialects(this IServiceCollection services, PushQueueOptions options)
    {
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IStartupFilter, DialectPortFilter>());
        return services
            .AddRestMq()
            .AddPresque()
            .AddRedisched(options.Redisched);
    }

    private static IServiceCollection AddQueues(this IServiceCollection services, QueuesOptions options)
    {
        services.TryAddSingleton(options);
        services.TryAddSingleton<LimitHits>();
        services.TryAddSingleton<TakeWaiters>();
        services.TryAddSingleton<FinishWaiters>();
        services.TryAddSingleton<WorkerRegistry>();
        services.TryAddSingleton<MessageTails>();
        services.TryAddSingleton<MessageBroker>();
        services.TryAddSingleton<MessageMeter>();
        services.TryAddSingleton<IMessageBroker>(static provider => new ObservedBroker(
            provider.GetRequiredService<MessageBroker>(), provider.GetRequiredService<MessageMeter>()));
        services.TryAddSingleton<QueueChangeFanout>();
        services.AddListener<TakeWaiters>();
        services.AddListener<FinishWaiters>();
        services.AddListener<WorkerRegistry>();
        services.AddListener<MessageTails>();
        services.AddListener<PresenceWatch>();
        return services;
    }

    private static IServiceCollection AddStorage(this IServiceCollection services, PushQueueOptions options)
    {
        if (options.Storage.Redis is { } redis)
        {
            options.Queues.BatchMessagesMax = Math.Min(options.Queues.BatchMessagesMax, RedisStoreOptions.BatchMessagesMax);
            RedisStoreOptions Read(IServiceProvider provider) => new()
            {
                Meter = provider.GetRequiredService<MessageMeter>(),
                Configuration = redis,
                CertificateAuthority = options.Storage.RedisCertificateAuthority,
                KeyPrefix = options.Storage.RedisKeyPrefix,
                WaitForReplicas = options.Storage.RedisWait,
                Expires = [.. options.Queues.Expires],

                // An application with a clock of its own decides what time it is.
                FollowsClockOfRedis = provider.GetRequiredService<TimeProvider>() == TimeProvider.System,
            };

            services.AddRedisStore(Read);
            services.AddHubBackplane(provider => RedisAddress.OfBackplane(Read(provider)));
        }

        // The first that is registered counts.
        services.AddEmbeddedStore(provider => new EmbeddedStoreOptions
        {
            Meter = provider.GetRequiredService<MessageMeter>(),
            DataDirectory = Path.GetFullPath(options.Storage.DataDirectory),
            Durability = Durability.TryParse(options.Storage.Durability)!,
            SegmentBytes = options.Storage.SegmentBytes,
            CacheBytesMax = options.Storage.CacheBytesMax,
            Expires = [.. options.Queues.Expires],
        });
        services.AddStoreFacets();
        services.AddHostedService<StoreService>();
        return services;
    }

    private static IServiceCollection AddDelivery(this IServiceCollection services, DeliveryOptions options)
    {
        services.TryAddSingleton(Options.Create(options));
        services.AddListener<Dispatcher>();
        services.AddListener<QueueSets>();
        return services.AddDelivery().AddDispatchPolicies();
    }

    private static IServiceCollection AddDiagnostics(this IServiceCollection services, DiagnosticsOptions options)
    {
        services.TryAddSingleton(options);
        services.TryAddSingleton<QueueSeries>();
        services.TryAddSingleton<NodeGauges>();
        services.TryAddSingleton<MetricCollector>();
        services.TryAddSingleton<QueueRates>();
        services.TryAddSingleton<NodeStatistics>();
        services.TryAddSingleton<NodeMeter>();
        services.TryAddSingleton<NodeEvents>();
        services.TryAddSingleton<QueueBoards>();
        services.AddSingleton<ILoggerProvider, NodeEventLoggerProvider>();
        services.AddListener<QueueRates>();
        services.AddListener<NodeEvents>();
        services.AddHostedService<RateSampler>();
        return services;
    }

    /// <summary>One more that is told the store's news.</summary>
    private static void AddListener<T>(this IServiceCollection services)
        where T : class, IQueueChangeListener =>
        services.AddSingleton<IQueueChangeListener>(static provider => provider.GetRequiredService<T>());
}
