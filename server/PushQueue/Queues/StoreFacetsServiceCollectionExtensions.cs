using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace PushQueue.Queues;

internal static class StoreFacetsServiceCollectionExtensions
{
    /// <summary>Offers the store by its facets, too, for services that need only one of them.</summary>
    public static IServiceCollection AddStoreFacets(this IServiceCollection services)
    {
        services.TryAddSingleton<IStoreLifecycle>(static provider => provider.GetRequiredService<IMessageStore>());
        services.TryAddSingleton<IQueueCatalog>(static provider => provider.GetRequiredService<IMessageStore>());
        services.TryAddSingleton<IBroadcastHistory>(static provider => provider.GetRequiredService<IMessageStore>());
        return services;
    }
}
