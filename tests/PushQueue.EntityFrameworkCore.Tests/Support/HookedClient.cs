using System.Reflection;
using PushQueue.Client;

namespace PushQueue.EntityFrameworkCore.Tests.Support;

/// <summary>A real client with something before and after each of its batches.</summary>
public class HookedClient : DispatchProxy
{
    private IPushQueueClient _client = null!;
    private Func<CancellationToken, Task>? _before;
    private Func<CancellationToken, Task>? _after;

    public static IPushQueueClient Of(
        IPushQueueClient client, Func<CancellationToken, Task>? before = null, Func<CancellationToken, Task>? after = null)
    {
        var proxy = Create<IPushQueueClient, HookedClient>();
        var hooked = (HookedClient)proxy;
        hooked._client = client;
        hooked._before = before;
        hooked._after = after;
        return proxy;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
        targetMethod!.Name == nameof(IPushQueueProducer.PutManyAsync) && !targetMethod.IsGenericMethod
            ? PutManyAsync((string)args![0]!, (IEnumerable<PutMessage>)args[1]!, (CancellationToken)args[2]!)
            : targetMethod.Invoke(_client, BindingFlags.DoNotWrapExceptions, binder: null, args, culture: null);

    private async Task<PutManyResult> PutManyAsync(string queue, IEnumerable<PutMessage> messages, CancellationToken cancellationToken)
    {
        await (_before?.Invoke(cancellationToken) ?? Task.CompletedTask);
        var result = await _client.PutManyAsync(queue, messages, cancellationToken);
        await (_after?.Invoke(cancellationToken) ?? Task.CompletedTask);
        return result;
    }
}
