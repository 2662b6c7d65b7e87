using System.Reflection;
using PushQueue.Queues;

namespace PushQueue.Tests.Support;

/// <summary>A store whose calls for one queue wait, once they are told to, until the test lets them through.</summary>
public class GatedStore : DispatchProxy
{
    private IMessageStore _store = null!;
    private string _queue = "";
    private volatile TaskCompletionSource? _reached;
    private TaskCompletionSource _released = new();

    internal static IMessageStore Over(IMessageStore store)
    {
        var proxy = Create<IMessageStore, GatedStore>();
        ((GatedStore)(object)proxy)._store = store;
        return proxy;
    }

    /// <summary>The next look at the queue waits, with what it has read. Completes when that call waits.</summary>
    internal static Task HoldNextLook(IMessageStore proxy, QueueName queue)
    {
        var gate = (GatedStore)(object)proxy;
        gate._queue = queue.Value;
        gate._released = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        gate._reached = reached;
        return reached.Task;
    }

    internal static void Release(IMessageStore proxy) => ((GatedStore)(object)proxy)._released.SetResult();

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        var answer = targetMethod!.Invoke(_store, BindingFlags.DoNotWrapExceptions, null, args, null);
        if (targetMethod.Name == nameof(IMessageStore.GetQueueAsync) && args is [QueueName queue, ..] && queue.Value == _queue
            && Interlocked.Exchange(ref _reached, null) is { } reached)
        {
#pragma warning disable CA2012 // The caller of a proxy gets its answer as an object, and awaits it.
            return HoldAsync((ValueTask<QueueInfo?>)answer!, reached, _released.Task);
#pragma warning restore CA2012
        }

        return answer;
    }

    private static async ValueTask<QueueInfo?> HoldAsync(ValueTask<QueueInfo?> answer, TaskCompletionSource reached, Task released)
    {
        var read = await answer;
        reached.SetResult();
        await released;
        return read;
    }
}
