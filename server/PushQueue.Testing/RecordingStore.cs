using System.Reflection;
using PushQueue.Queues;

namespace PushQueue.Testing;

/// <summary>
/// A store that records the messages which are put into it. A proxy, because the store has many operations and only two of them matter;
/// its cost does not matter in a test.
/// </summary>
#pragma warning disable CA1852 // The proxy is a subtype that is made at run time.
internal class RecordingStore : DispatchProxy
#pragma warning restore CA1852
{
    private IMessageStore _store = null!;
    private PutRecord _record = null!;

    public static IMessageStore Over(IMessageStore store, PutRecord record)
    {
        var proxy = Create<IMessageStore, RecordingStore>();
        var recording = (RecordingStore)(object)proxy;
        recording._store = store;
        recording._record = record;
        return proxy;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => targetMethod!.Name switch
    {
#pragma warning disable CA2012 // The caller of a proxy gets its answer as an object, and awaits it.
        nameof(IMessageStore.PutAsync) => PutAsync((QueueName)args![0]!, (NewMessage)args[1]!),
        nameof(IMessageStore.PutManyAsync) => PutManyAsync((QueueName)args![0]!, (IReadOnlyList<NewMessage>)args[1]!),
#pragma warning restore CA2012
        _ => targetMethod.Invoke(_store, BindingFlags.DoNotWrapExceptions, null, args, null),
    };

    private async ValueTask<BrokerResult<PutOutcome>> PutAsync(QueueName queue, NewMessage message)
    {
        var put = await _store.PutAsync(queue, message);
        if (put.Ok)
        {
            _record.Add(queue, message, put.Value);
            _record.Signal();
        }

        return put;
    }

    private async ValueTask<BrokerResult<IReadOnlyList<PutOutcome>>> PutManyAsync(QueueName queue, IReadOnlyList<NewMessage> messages)
    {
        var put = await _store.PutManyAsync(queue, messages);
        if (put.Ok)
        {
            for (var i = 0; i < messages.Count; i++)
            {
                _record.Add(queue, messages[i], put.Value[i]);
            }

            _record.Signal();
        }

        return put;
    }
}
