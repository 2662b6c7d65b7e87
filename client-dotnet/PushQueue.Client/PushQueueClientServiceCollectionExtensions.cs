using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using PushQueue.Client;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>A client as a service of a host.</summary>
public static class PushQueueClientServiceCollectionExtensions
{
    /// <summary>Adds one <see cref="PushQueueClient"/>, shared by all, also as <see cref="IPushQueueClient"/>;
    /// it logs to the host's loggers, and runs the host's handlers.</summary>
    public static IServiceCollection AddPushQueueClient(this IServiceCollection services, Action<PushQueueClientOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.TryAddSingleton(provider =>
        {
            var options = new PushQueueClientOptions { LoggerFactory = provider.GetService<ILoggerFactory>() };
            configure?.Invoke(options);
            return new PushQueueClient(options);
        });
        services.TryAddSingleton<IPushQueueClient>(static provider => provider.GetRequiredService<PushQueueClient>());
        return services.AddHandlers();
    }
}
