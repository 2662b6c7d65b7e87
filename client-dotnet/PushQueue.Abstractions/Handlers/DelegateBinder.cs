using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using PushQueue.Client.Wire;

namespace PushQueue.Client.Handlers;

/// <summary>
/// Makes a handler of any function: its parameters are the message, its body, services of the message's scope and the token, in any order.
/// </summary>
[RequiresUnreferencedCode(ReflectedJson.Warning)]
[RequiresDynamicCode(ReflectedJson.Warning)]
internal static class DelegateBinder
{
    /// <exception cref="ArgumentException">The function cannot be a handler.</exception>
    public static HandlerPipeline Bind(Delegate handler, HandlerOptions options, IServiceProvider services)
    {
        var parameters = handler.Method.GetParameters();
        var isService = services.GetService<IServiceProviderIsService>();
        var sources = new Func<MessageContext, object?>[parameters.Length];
        ParameterInfo? body = null;
        for (var i = 0; i < parameters.Length; i++)
        {
            sources[i] = SourceOf(parameters[i], isService) ?? Body(parameters[i]);
        }

        var invoke = InvokerOf(handler);
        var reader = body is null ? null : BodyReader.Of(body.ParameterType, options.Json);
        return HandlerPipeline.Of(reader, context => invoke(ValuesOf(context, sources)), options);

        Func<MessageContext, object?> Body(ParameterInfo parameter)
        {
            if (body is not null)
            {
                throw new ArgumentException(
                    $"Both '{body.Name}' ({body.ParameterType.Name}) and '{parameter.Name}' ({parameter.ParameterType.Name}) would be the "
                        + "body of the message: register one of them as a service, or leave it out.",
                    nameof(parameter));
            }

            body = parameter;
            return static context => context.Value;
        }
    }

    private static Func<MessageContext, object?>? SourceOf(ParameterInfo parameter, IServiceProviderIsService? isService)
    {
        var type = parameter.ParameterType;
        if (type.IsByRef)
        {
            throw new ArgumentException($"The parameter '{parameter.Name}' is passed by reference; pass it by value.", nameof(parameter));
        }

        if (parameter.GetCustomAttribute<FromKeyedServicesAttribute>() is { } keyed)
        {
            return context => context.Services.GetRequiredKeyedService(type, keyed.Key);
        }

        return type == typeof(Message) ? static context => context.Message
            : type == typeof(MessageContext) ? static context => context
            : type == typeof(CancellationToken) ? static context => context.CancellationToken
            : type == typeof(IServiceProvider) ? static context => context.Services
            : isService?.IsService(type) == true ? context => context.Services.GetRequiredService(type)
            : null;
    }

    private static object?[] ValuesOf(MessageContext context, Func<MessageContext, object?>[] sources)
    {
        var values = new object?[sources.Length];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = sources[i](context);
        }

        return values;
    }

    private static Func<object?[], Task> InvokerOf(Delegate handler)
    {
        var target = handler.Target;
        var invoker = MethodInvoker.Create(handler.Method);
        var type = handler.Method.ReturnType;
        return type == typeof(void) ? values =>
            {
                _ = invoker.Invoke(target, values.AsSpan());
                return Task.CompletedTask;
            }
            : typeof(Task).IsAssignableFrom(type) ? values => (Task)invoker.Invoke(target, values.AsSpan())!
            : type == typeof(ValueTask) ? values => ((ValueTask)invoker.Invoke(target, values.AsSpan())!).AsTask()
            : throw new ArgumentException($"The handler returns {type.Name}; return Task, ValueTask or nothing.", nameof(handler));
    }
}
