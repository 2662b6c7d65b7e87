using System.Reflection;
using PushQueue.Queues;

namespace PushQueue.Tests.Support;

/// <summary>A store that passes everything on to another, until it is told to fail.</summary>
public class FailableStore : DispatchProxy
{
    private IMessageStore _store = null!;
    private volatile Exception? _failure;

    internal static IMessageStore Over(IMessageStore store)
    {
        var proxy = Create<IMessageStore, FailableStore>();
        ((FailableStore)(object)proxy)._store = store;
        return proxy;
    }

    internal static void Fail(IMessageStore proxy, Exception? failure = null) =>
        ((FailableStore)(object)proxy)._failure = failure ?? new IOException("The store is gone.");

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        if (targetMethod!.Name == nameof(IAsyncDisposable.DisposeAsync))
        {
            // The store is closed by its owner.
            return ValueTask.CompletedTask;
        }

        return _failure is { } failure && targetMethod.Name != $"get_{nameof(IMessageStore.Now)}"
            ? throw failure
            : targetMethod.Invoke(_store, BindingFlags.DoNotWrapExceptions, null, args, null);
    }
}
