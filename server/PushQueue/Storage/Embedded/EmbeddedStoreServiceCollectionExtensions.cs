using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using PushQueue.Queues;

namespace PushQueue.Storage.Embedded;

internal static class EmbeddedStoreServiceCollectionExtensions
{
    /// <summary>Keeps the queues in a log of this node's own.</summary>
    public static IServiceCollection AddEmbeddedStore(
        this IServiceCollection services, Func<IServiceProvider, EmbeddedStoreOptions> options)
    {
        services.TryAddSingleton<IMessageStore>(provider => new EmbeddedMessageStore(
            options(provider),
            provider.GetService<TimeProvider>() ?? TimeProvider.System,
            provider.GetRequiredService<ILoggerFactory>()));
        services.TryAddSingleton<ISharedSecret>(provider => new SecretFile(options(provider).DataDirectory));
        return services;
    }
}
