using System.Reflection;
using PushQueue.Queues;

namespace PushQueue.Tests.Delivery.Cluster;

/// <summary>
/// One store as a node of several sees it: calls go to the store that all share, except while the node cannot reach it; what it broadcasts
/// is told to the others. A proxy, because only few of the operations matter here.
/// </summary>
#pragma warning disable CA1852 // The proxy that is made at run time derives from it.
internal class SharedStore : DispatchProxy
#pragma warning restore CA1852
{
    private IMessageStore _shared = null!;
    private TestNode _node = null!;

    public static IMessageStore Of(TestNode node, IMessageStore shared)
    {
        var store = Create<IMessageStore, SharedStore>();
        var proxy = (SharedStore)store;
        proxy._node = node;
        proxy._shared = shared;
        return store;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        var queue = args is [QueueName name, ..] ? name : default;
        return targetMethod!.Name switch
        {
            nameof(IMessageStore.BroadcastAsync) => Box(BroadcastAsync(queue, (int)args![1]!, (int)args[2]!)),
            nameof(IMessageStore.AckAsync) or nameof(IMessageStore.ReleaseAsync) or nameof(IMessageStore.CheckAsync) when _node.IsAway =>
                Box(Unavailable(((IReadOnlyList<LeaseKey>)args![1]!).Count)),
            nameof(IMessageStore.LeaseAsync) when _node.IsAway =>
                Box(new ValueTask<BrokerResult<IReadOnlyList<Lease>>>(new BrokerFailure(QueueError.StoreUnavailable))),
            nameof(IMessageStore.LeaseAsync) when _node.IsRefused => Box(Refuse()),
            "get_UnavailableReason" => _node.IsAway ? "Cut off by the test." : null,
            nameof(IMessageStore.GetQueueAsync) when _node.Looking is { } looking => Box(GetLaterAsync(looking, queue)),
            _ when _node.IsAway => throw new StoreUnavailableException("Cut off by the test."),
            _ => targetMethod.Invoke(_shared, args),
        };
    }

    private async ValueTask<IReadOnlyList<Message>> BroadcastAsync(QueueName queue, int count, int bytesMax)
    {
        await _node.Broadcasting.WaitAsync();
        try
        {
            var messages = _node.IsAway || _node.IsDeaf ? [] : await _shared.BroadcastAsync(queue, count, bytesMax);
            if (messages.Count > 0)
            {
                _node.Bell.Ring(listener => listener.OnBroadcast(queue, messages[^1].Offset + 1));
            }

            return messages;
        }
        finally
        {
            _ = _node.Broadcasting.Release();
        }
    }

    private ValueTask<BrokerResult<IReadOnlyList<Lease>>> Refuse()
    {
        _node.Refusals++;
        return new(new BrokerFailure(QueueError.StoreUnavailable));
    }

    private async ValueTask<QueueInfo?> GetLaterAsync(Task looking, QueueName queue)
    {
        await looking;
        return await _shared.GetQueueAsync(queue);
    }

    private static ValueTask<IReadOnlyList<QueueError>> Unavailable(int count) =>
        new([.. Enumerable.Repeat(QueueError.StoreUnavailable, count)]);

    private static object Box<T>(ValueTask<T> answer) => answer;
}
