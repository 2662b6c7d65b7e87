using System.Collections.Concurrent;

namespace PushQueue.Delivery;

/// <summary>All connections that hold consumers on this node. What is in here is watched and drained; what is not has left nothing behind.</summary>
internal sealed class ConsumerRegistry
{
    private readonly ConcurrentDictionary<OutboundBuffer, byte> _connections = new();
    private TaskCompletionSource? _empty;
    private long _numbers;
    private int _consumers;

    public int Connections => _connections.Count;

    public int Consumers => Volatile.Read(ref _consumers);

    /// <summary>The connections at one moment; cheap to walk, safe against changes.</summary>
    public IEnumerable<OutboundBuffer> Buffers
    {
        get
        {
            foreach (var (buffer, _) in _connections)
            {
                yield return buffer;
            }
        }
    }

    public void Add(OutboundBuffer buffer) => _connections.TryAdd(buffer, 0);

    public void Remove(OutboundBuffer buffer)
    {
        if (_connections.TryRemove(buffer, out _) && _connections.IsEmpty)
        {
            Volatile.Read(ref _empty)?.TrySetResult();
        }
    }

    public long NextNumber() => Interlocked.Increment(ref _numbers);

    public void CountConsumer(int by) => Interlocked.Add(ref _consumers, by);

    /// <summary>Completes when no connection is left.</summary>
    public Task WhenEmpty()
    {
        _ = Interlocked.CompareExchange(ref _empty, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), null);
        if (_connections.IsEmpty)
        {
            _empty.TrySetResult();
        }

        return _empty.Task;
    }
}
