using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using PushQueue.Client;
using PushQueue.Client.Handlers;
using PushQueue.Client.Wire;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Handlers of queues as services of a host.</summary>
public static class PushQueueHandlerServiceCollectionExtensions
{
    /// <summary>
    /// Handles a queue's messages with a class: <c>services.AddPushQueueHandler&lt;Order, OrderHandler&gt;("orders")</c>. Each message gets
    /// an object of its own from a scope of its own. The host waits for a server that is away, and drains the handler when it stops.
    /// </summary>
    /// <typeparam name="T">The type of the body, which is read as JSON by reflection; see <see cref="IMessageHandler{T}"/>.</typeparam>
    /// <typeparam name="THandler">The handler.</typeparam>
    /// <param name="services">The services.</param>
    /// <param name="queue">The queue; it need not exist yet.</param>
    /// <param name="configure">How messages are handled.</param>
    /// <exception cref="ArgumentException">An option has an impossible value.</exception>
    [RequiresUnreferencedCode(ReflectedJson.Warning)]
    [RequiresDynamicCode(ReflectedJson.Warning)]
    public static IServiceCollection AddPushQueueHandler<T, [DynamicallyAccessedMembers(
        DynamicallyAccessedMemberTypes.PublicConstructors)] THandler>(
        this IServiceCollection services, string queue, Action<HandlerOptions>? configure = null)
        where THandler : class, IMessageHandler<T> =>
        services.Add<T, THandler>(queue, configure, static options => BodyReader.Of(typeof(T), options.Json));

    /// <summary>Handles a queue's messages with a class, and reads their bodies with generated code.</summary>
    /// <inheritdoc cref="AddPushQueueHandler{T, THandler}(IServiceCollection, string, Action{HandlerOptions})"/>
    /// <param name="services">The services.</param>
    /// <param name="queue">The queue; it need not exist yet.</param>
    /// <param name="type">How a body is read.</param>
    /// <param name="configure">How messages are handled.</param>
    public static IServiceCollection AddPushQueueHandler<T, [DynamicallyAccessedMembers(
        DynamicallyAccessedMemberTypes.PublicConstructors)] THandler>(
        this IServiceCollection services, string queue, JsonTypeInfo<T> type, Action<HandlerOptions>? configure = null)
        where THandler : class, IMessageHandler<T>
    {
        ArgumentNullException.ThrowIfNull(type);
        return services.Add<T, THandler>(queue, configure, _ => BodyReader.Of(type));
    }

    /// <summary>Handles a queue's messages with a class that implements <see cref="IMessageHandler{T}"/> for one type:
    /// <c>services.AddPushQueueHandler&lt;OrderHandler&gt;("orders", options => options.Concurrency = 8)</c>.</summary>
    /// <exception cref="InvalidOperationException">The class implements the interface for no type, or for several.</exception>
    /// <inheritdoc cref="AddPushQueueHandler{T, THandler}(IServiceCollection, string, Action{HandlerOptions})"/>
    [RequiresUnreferencedCode(ReflectedJson.Warning)]
    [RequiresDynamicCode(ReflectedJson.Warning)]
    public static IServiceCollection AddPushQueueHandler<[DynamicallyAccessedMembers(
        DynamicallyAccessedMemberTypes.PublicConstructors | DynamicallyAccessedMemberTypes.Interfaces)] THandler>(
        this IServiceCollection services, string queue, Action<HandlerOptions>? configure = null)
        where THandler : class
    {
        var types = Array.FindAll(
            typeof(THandler).GetInterfaces(),
            static type => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IMessageHandler<>));
        if (types is not [var handled])
        {
            throw new InvalidOperationException(
                $"{typeof(THandler).Name} implements IMessageHandler<T> {types.Length} times; name the type of the body: "
                    + $"AddPushQueueHandler<T, {typeof(THandler).Name}>(…).");
        }

        var add = ((Func<IServiceCollection, string, Action<HandlerOptions>?, IServiceCollection>)
            AddPushQueueHandler<object, IMessageHandler<object>>).Method.GetGenericMethodDefinition();
        try
        {
            return (IServiceCollection)add.MakeGenericMethod(handled.GenericTypeArguments[0], typeof(THandler))
                .Invoke(null, BindingFlags.DoNotWrapExceptions, binder: null, [services, queue, configure], culture: null)!;
        }
        catch (MissingMethodException e)
        {
            throw new InvalidOperationException($"{typeof(THandler).Name} cannot be a handler.", e);
        }
    }

    /// <summary>Has handlers run with the host.</summary>
    internal static IServiceCollection AddHandlers(this IServiceCollection services)
    {
        services.TryAddSingleton<HandlerRegistry>();
        services.TryAddSingleton<HandlerService>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, HandlerService>(
            static provider => provider.GetRequiredService<HandlerService>()));
        return services;
    }

    private static IServiceCollection Add<T, [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] THandler>(
        this IServiceCollection services, string queue, Action<HandlerOptions>? configure, Func<HandlerOptions, BodyReader> readerOf)
        where THandler : class, IMessageHandler<T>
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrEmpty(queue);
        var options = new HandlerOptions();
        configure?.Invoke(options);
        var pipeline = HandlerPipeline.Of(
            readerOf(options.Checked()),
            static context => context.Services.GetRequiredService<THandler>()
                .HandleAsync((T)context.Value!, context, context.CancellationToken),
            options);
        services.TryAddScoped<THandler>();
        return services.AddSingleton(new MappedHandler(queue, options, _ => pipeline)).AddHandlers();
    }
}
