using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using PushQueue.EntityFrameworkCore;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>The outbox and the inbox as services of a host.</summary>
public static class PushQueueEntityFrameworkServiceCollectionExtensions
{
    private static readonly TimeSpan DefaultAgeMax = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Forwards the outbox of a context: <c>services.AddPushQueueOutbox&lt;Db&gt;()</c>. The host also has <c>AddDbContext&lt;Db&gt;</c>,
    /// and <c>AddPushQueueClient</c> or <c>AddPushQueue</c>. Any number of applications may forward the same outbox.
    /// </summary>
    /// <typeparam name="TContext">The context; its model has <c>AddPushQueueOutbox</c>.</typeparam>
    /// <param name="services">The services.</param>
    /// <param name="configure">How it is forwarded.</param>
    /// <exception cref="ArgumentException">An option has an impossible value.</exception>
    /// <exception cref="InvalidOperationException">The outbox of this context is forwarded already.</exception>
    public static IServiceCollection AddPushQueueOutbox<TContext>(
        this IServiceCollection services, Action<OutboxOptions>? configure = null)
        where TContext : DbContext
    {
        ArgumentNullException.ThrowIfNull(services);
        if (services.Any(static service => service.ServiceType == typeof(OutboxSignal<TContext>)))
        {
            throw new InvalidOperationException(
                $"The outbox of {typeof(TContext).Name} is forwarded already: call AddPushQueueOutbox once.");
        }

        var options = new OutboxOptions();
        configure?.Invoke(options);
        OutboxOptions.Check(options);
        services.TryAddSingleton<OutboxSignal<TContext>>();
        services.TryAddSingleton(static provider => new OutboxMonitor<TContext>(
            provider.GetRequiredService<IServiceScopeFactory>(), provider.GetService<TimeProvider>() ?? TimeProvider.System));
        services.TryAddSingleton(static provider => new OutboxInterceptor<TContext>(
            provider.GetRequiredService<OutboxSignal<TContext>>(), provider.GetService<TimeProvider>() ?? TimeProvider.System));
        return services
            .ConfigureDbContext<TContext>(static (provider, builder) =>
                builder.AddInterceptors(provider.GetRequiredService<OutboxInterceptor<TContext>>()))
            .AddSingleton<IHostedService>(provider => new OutboxForwarder<TContext>(
                provider, provider.GetRequiredService<OutboxSignal<TContext>>(), provider.GetRequiredService<OutboxMonitor<TContext>>(),
                options));
    }

    /// <summary>
    /// Prepares the inbox of a context and deletes its old rows. Each handler that is to use it says so:
    /// <c>services.AddPushQueueHandler&lt;Order, ShipOrder&gt;("orders", options => options.WithInbox&lt;Db&gt;())</c>.
    /// </summary>
    /// <typeparam name="TContext">The context; its model has <c>AddPushQueueInbox</c>.</typeparam>
    /// <param name="services">The services.</param>
    /// <param name="configure">How long rows are kept.</param>
    /// <exception cref="ArgumentException">An option has an impossible value.</exception>
    /// <exception cref="InvalidOperationException">The inbox of this context is there already.</exception>
    public static IServiceCollection AddPushQueueInbox<TContext>(
        this IServiceCollection services, Action<InboxOptions>? configure = null)
        where TContext : DbContext
    {
        ArgumentNullException.ThrowIfNull(services);
        if (services.Any(static service => service.ServiceType == typeof(InboxFilter<TContext>)))
        {
            throw new InvalidOperationException($"The inbox of {typeof(TContext).Name} is there already: call AddPushQueueInbox once.");
        }

        var options = new InboxOptions();
        configure?.Invoke(options);
        InboxOptions.Check(options);
        return services
            .AddScoped(static provider => new InboxFilter<TContext>(
                provider.GetRequiredService<TContext>(), provider.GetService<TimeProvider>() ?? TimeProvider.System))
            .AddSingleton<IHostedService>(provider => new InboxCleaner<TContext>(provider, options));
    }

    /// <summary>Adds a health check named <c>pushqueue-outbox</c>: unhealthy while a message waits for too long, degraded while the outbox
    /// has messages that the server refused.</summary>
    /// <typeparam name="TContext">The context; the services have <c>AddPushQueueOutbox</c> for it.</typeparam>
    /// <param name="builder">The builder of <c>AddHealthChecks</c>.</param>
    /// <param name="ageMax">How long a message may wait; null for 5 minutes.</param>
    /// <param name="tags">Tags of the check.</param>
    public static IHealthChecksBuilder AddPushQueueOutbox<TContext>(
        this IHealthChecksBuilder builder, TimeSpan? ageMax = null, IEnumerable<string>? tags = null)
        where TContext : DbContext
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.Add(new HealthCheckRegistration(
            "pushqueue-outbox",
            provider => new OutboxHealthCheck<TContext>(
                provider.GetRequiredService<OutboxMonitor<TContext>>(), ageMax ?? DefaultAgeMax),
            HealthStatus.Unhealthy,
            tags));
    }
}
