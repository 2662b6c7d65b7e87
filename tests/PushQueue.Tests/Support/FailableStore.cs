using System.Reflection;
using PushQueue.Queues;

namespace PushQueue.Tests.Support;

/// <summary>A store that passes everything on to another, until a test has it fail or hold a lease back.</summary>
public class FailableStore : DispatchProxy
{
    private IMessageStore _store = null!;
    private volatile Exception? _failure;
    private HeldLease? _heldLease;

    internal static IMessageStore Over(IMessageStore store)
    {
        var proxy = Create<IMessageStore, FailableStore>();
        ((FailableStore)(object)proxy)._store = store;
        return proxy;
    }

    internal static void Fail(IMessageStore proxy, Exception? failure = null) =>
        ((FailableStore)(object)proxy)._failure = failure ?? new IOException("The store is gone.");

    /// <summary>Holds the next lease back before it reaches the store, so that others can come between.</summary>
    internal static HeldLease HoldNextLease(IMessageStore proxy) =>
        ((FailableStore)(object)proxy)._heldLease = new HeldLease();

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        if (targetMethod!.Name == nameof(IAsyncDisposable.DisposeAsync))
        {
            // The store is closed by its owner.
            return ValueTask.CompletedTask;
        }

        if (targetMethod.Name == nameof(IMessageStore.LeaseAsync) && Interlocked.Exchange(ref _heldLease, null) is { } held)
        {
#pragma warning disable CA2012 // The caller of a proxy gets its answer as an object, and awaits it.
            return LeaseBehindAsync(held, (QueueName)args![0]!, (LeaseRequest)args[1]!);
#pragma warning restore CA2012
        }

        return _failure is { } failure && targetMethod.Name != $"get_{nameof(IMessageStore.Now)}"
            ? throw failure
            : targetMethod.Invoke(_store, BindingFlags.DoNotWrapExceptions, null, args, null);
    }

    private async ValueTask<BrokerResult<IReadOnlyList<Lease>>> LeaseBehindAsync(HeldLease held, QueueName queue, LeaseRequest request)
    {
        held.Asked.SetResult();
        await held.Released.Task;
        return await _store.LeaseAsync(queue, request);
    }

    internal sealed class HeldLease
    {
        /// <summary>Completes when somebody asks for the lease.</summary>
        public TaskCompletionSource Asked { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>Completed by the test when the lease may go on.</summary>
        public TaskCompletionSource Released { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
