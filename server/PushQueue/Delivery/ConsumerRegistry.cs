using System.Collections.Concurrent;
using PushQueue.Delivery.Encoding;
using PushQueue.Queues;

namespace PushQueue.Delivery;

/// <summary>
/// All connections that hold consumers on this node; they are watched and drained. A connection that left is not in here.
/// </summary>
internal sealed class ConsumerRegistry(MemoryBudget? memory = null, LimitHits? hits = null)
{
    private readonly MemoryBudget _memory = memory ?? new MemoryBudget();
    private int _shrinking;

    private readonly ConcurrentDictionary<OutboundBuffer, byte> _connections = new();
    private TaskCompletionSource? _empty;
    private long _numbers;
    private int _consumers;

    /// <summary>The memory that all buffers hold together.</summary>
    public MemoryBudget Memory => _memory;

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

    public void Add(OutboundBuffer buffer)
    {
        buffer.AccountTo(_memory, Shrink);
        _connections.TryAdd(buffer, 0);
    }

    /// <summary>Cuts the slowest connections until a quarter of the room is free, where all buffers together hold too much.</summary>
    private void Shrink()
    {
        // hot path: one comparison, unless memory is short. One thread cuts, the others continue.
        if (!_memory.MustShrink || Interlocked.Exchange(ref _shrinking, 1) != 0)
        {
            return;
        }

        hits?.Count(LimitNames.BuffersBytes);
        var slowest = Buffers.Where(static buffer => buffer.HeldBytes > 0).ToArray();
        Array.Sort(slowest, static (one, other) =>
            one.LastWriteAt != other.LastWriteAt ? one.LastWriteAt.CompareTo(other.LastWriteAt) : other.HeldBytes.CompareTo(one.HeldBytes));
        foreach (var buffer in slowest)
        {
            if (_memory.HasShrunk)
            {
                break;
            }

            _ = buffer.CutForMemory();
        }

        Volatile.Write(ref _shrinking, 0);
    }

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

    /// <summary>Called with each consumer that joins or leaves, true where it joins. Must return at once.</summary>
    public Action<Consumer, bool>? Changed { get; set; }

    public void Join(Consumer consumer)
    {
        _ = Interlocked.Increment(ref _consumers);
        Changed?.Invoke(consumer, true);
    }

    public void Leave(Consumer consumer)
    {
        _ = Interlocked.Decrement(ref _consumers);
        Changed?.Invoke(consumer, false);
    }

    /// <summary>Completes when no connection of this process is left. Those that are left when the token is cancelled are cut.</summary>
    public async Task WhenNoneInProcess(CancellationToken hostGivesUp)
    {
        if (!Buffers.Any(static buffer => buffer.Connection.IsInProcess))
        {
            return;
        }

        await WhenEmpty().WaitAsync(hostGivesUp).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var buffer in Buffers)
        {
            buffer.Connection.Abort(CloseReason.ServerShutdown);
        }
    }

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
