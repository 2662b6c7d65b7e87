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

    /// <summary>How many connections there are of each transport.</summary>
    public IReadOnlyDictionary<string, int> CountByTransport()
    {
        var counts = new SortedDictionary<string, int>(StringComparer.Ordinal);
        foreach (var buffer in Buffers)
        {
            var transport = buffer.Connection.Transport;
            counts[transport] = counts.GetValueOrDefault(transport) + 1;
        }

        return counts;
    }

    public void Add(OutboundBuffer buffer) => _connections.TryAdd(buffer, 0);

    public void Remove(OutboundBuffer buffer)
    {
        if (_connections.TryRemove(buffer, out _) && _connections.IsEmpty)
        {
            Volatile.Read(ref _empty)?.TrySetResult();
        }
    }

    /// <summary>Below all numbers of this node's consumers; another one for each node.</summary>
    public long NumberBase { get; init; }

    public long NextNumber() => NumberBase + Interlocked.Increment(ref _numbers);

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
