using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using PushQueue.Queues;

namespace PushQueue.Storage.Redis;

internal static class RedisStoreServiceCollectionExtensions
{
    /// <summary>Keeps the queues in a Redis that any number of nodes may share.</summary>
    public static IServiceCollection AddRedisStore(this IServiceCollection services, Func<IServiceProvider, RedisStoreOptions> options)
    {
        services.TryAddSingleton<IMessageStore>(provider => new RedisMessageStore(
            options(provider),
            provider.GetService<TimeProvider>() ?? TimeProvider.System,
            provider.GetRequiredService<ILoggerFactory>()));
        services.TryAddSingleton<INodes>(static provider => ((RedisMessageStore)provider.GetRequiredService<IMessageStore>()).Nodes);
        services.TryAddSingleton<ISharedSecret>(
            static provider => ((RedisMessageStore)provider.GetRequiredService<IMessageStore>()).Secret);
        return services;
    }
}
