using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PushQueue.Client;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>A client and its workers as services of a host.</summary>
public static class PushQueueClientServiceCollectionExtensions
{
    /// <summary>Adds one <see cref="PushQueueClient"/>, shared by all, also as <see cref="IPushQueueClient"/>;
    /// it logs to the host's loggers.</summary>
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
        return services;
    }

    /// <summary>Runs a worker with the host. Its constructor gets services; the host waits for it to drain.</summary>
    public static IServiceCollection AddPushQueueWorker<[DynamicallyAccessedMembers(
        DynamicallyAccessedMemberTypes.PublicConstructors)] TWorker>(
        this IServiceCollection services)
        where TWorker : Worker
    {
        ArgumentNullException.ThrowIfNull(services);
        services.TryAddSingleton<TWorker>();
        return services.AddSingleton<IHostedService>(provider => new WorkerService(provider.GetRequiredService<TWorker>()));
    }

    /// <summary>Runs a function with the host for each message of a queue.</summary>
    public static IServiceCollection AddPushQueueWorker(
        this IServiceCollection services, string queue, Func<IServiceProvider, Message, CancellationToken, Task> handle,
        WorkerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        return services.AddSingleton<IHostedService>(provider => new WorkerService(Worker.Create(
            provider.GetRequiredService<PushQueueClient>(), queue, (message, ended) => handle(provider, message, ended), options)));
    }
}
