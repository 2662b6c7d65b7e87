using PushQueue.Delivery;
using PushQueue.Queues;

namespace PushQueue.Diagnostics;

/// <summary>Measures this node when somebody asks, at most once a second.</summary>
internal sealed class NodeMeter(
    IStoreLifecycle store, ConsumerRegistry registry, TakeWaiters waiters, WorkerRegistry workers, TimeProvider time)
{
    private static readonly TimeSpan AgeMin = TimeSpan.FromMilliseconds(900);

    private readonly SemaphoreSlim _measuring = new(1, 1);
    private readonly DateTimeOffset _startedAt = time.GetUtcNow();
    private NodeFacts? _latest;
    private long _measuredAt = time.GetTimestamp();
    private TimeSpan _cpu = Environment.CpuUsage.TotalTime;

    public async ValueTask<NodeFacts> MeasureAsync()
    {
        await _measuring.WaitAsync();
        try
        {
            if (_latest is not null && time.GetElapsedTime(_measuredAt) < AgeMin)
            {
                return _latest;
            }

            return _latest = new NodeFacts
            {
                Name = $"{Environment.MachineName}:{Environment.ProcessId}",
                Version = NodeStatistics.Version,
                StartedAt = _startedAt,
                Store = store.Description,
                Durability = store.Durability.ToString(),
                Unavailable = store.UnavailableReason,
                Damage = store.Damage,
                Usage = await store.MeasureAsync(),
                CpuPercent = CpuPercent(),
                Cores = Environment.ProcessorCount,
                MemoryBytes = Environment.WorkingSet,
                HeapBytes = GC.GetTotalMemory(forceFullCollection: false),
                Connections = registry.CountByTransport(),
                Consumers = registry.Consumers,
                WaitingTakes = waiters.Count,
                Workers = workers.Count,
            };
        }
        finally
        {
            _measuring.Release();
        }
    }

    private double CpuPercent()
    {
        var (now, cpu) = (time.GetTimestamp(), Environment.CpuUsage.TotalTime);
        var elapsed = time.GetElapsedTime(_measuredAt, now);
        var percent = elapsed > TimeSpan.Zero ? (cpu - _cpu) / elapsed * 100 : 0;
        (_measuredAt, _cpu) = (now, cpu);
        return percent;
    }
}
