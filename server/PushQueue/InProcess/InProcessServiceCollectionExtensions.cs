using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using PushQueue.Client;

namespace PushQueue.InProcess;

internal static class InProcessServiceCollectionExtensions
{
    /// <summary>Adds the <see cref="IPushQueueClient"/> of this process, where the application has not added another one.</summary>
    public static IServiceCollection AddInProcessClient(this IServiceCollection services)
    {
        services.TryAddSingleton<InProcessSurroundings>();
        services.TryAddSingleton<InProcessConsumers>();
        services.TryAddSingleton<InProcessAdmin>();
        services.TryAddSingleton<InProcessClient>();
        services.TryAddSingleton<IPushQueueClient>(static provider => provider.GetRequiredService<InProcessClient>());
        return services;
    }
}
