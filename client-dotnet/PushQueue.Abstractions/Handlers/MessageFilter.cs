using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.DependencyInjection;

namespace PushQueue.Client.Handlers;

/// <summary>A filter of a handler: a function, or a class whose objects come from the message's services.</summary>
internal sealed class MessageFilter
{
    private readonly Func<MessageContext, MessageDelegate, Task> _invoke;

    private MessageFilter(Func<MessageContext, MessageDelegate, Task> invoke) => _invoke = invoke;

    public static MessageFilter Of(Func<MessageContext, MessageDelegate, Task> filter) => new(filter);

    public static MessageFilter Of<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TFilter>()
        where TFilter : class, IMessageFilter
    {
        var factory = new Lazy<ObjectFactory<TFilter>>(static () => ActivatorUtilities.CreateFactory<TFilter>([]));
        return new MessageFilter((context, next) =>
            (context.Services.GetService<TFilter>() ?? factory.Value(context.Services, null)).InvokeAsync(context, next));
    }

    /// <summary>This filter around the rest.</summary>
    public MessageDelegate Around(MessageDelegate next)
    {
        var invoke = _invoke;
        return context => invoke(context, next);
    }
}
