using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using PushQueue.Queues;

namespace PushQueue.Delivery;

internal static class DeliveryServiceCollectionExtensions
{
    /// <summary>
    /// The dispatcher and what it needs. <see cref="Dispatcher"/> must be registered as the listener of the store; an
    /// <see cref="IMessageStore"/> and a <see cref="TimeProvider"/> come from elsewhere.
    /// </summary>
    public static IServiceCollection AddDelivery(this IServiceCollection services)
    {
        services.AddOptions<DeliveryOptions>();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<CoarseClock>();
        services.TryAddSingleton(static provider =>
            new MemoryBudget(provider.GetRequiredService<IOptions<DeliveryOptions>>().Value.BuffersBytesMax));
        services.TryAddSingleton(static provider => new ConsumerRegistry(
            provider.GetRequiredService<MemoryBudget>(), provider.GetService<LimitHits>())
        {
            NumberBase = provider.GetService<INodes>()?.NumberBase ?? 0,
        });
        services.TryAddSingleton(static provider => new QueueTime(
            provider.GetRequiredService<IMessageStore>(), provider.GetRequiredService<TimeProvider>()));
        services.TryAddSingleton<QueuesOptions>();
        services.TryAddSingleton<WorkerRegistry>();
        services.TryAddSingleton<ConnectionWatch>();
        services.TryAddSingleton<PresenceLoop>();
        services.TryAddSingleton<MessageTails>();
        services.TryAddSingleton<Dispatcher>();
        services.TryAddSingleton<QueueSets>();
        services.TryAddSingleton(static provider => new NodeDrain(
            provider.GetRequiredService<Dispatcher>(), provider.GetRequiredService<TimeProvider>(),
                provider.GetRequiredService<ILogger<NodeDrain>>()));
        services.TryAddSingleton<ConsumerConnections>();
        services.AddHostedService<DeliveryService>();
        return services;
    }
}
