using System.Reflection;
using PushQueue.Queues;

namespace PushQueue.Diagnostics;

/// <summary>Sums up the node and its queues when somebody asks.</summary>
internal sealed class NodeStatistics(
    IStoreLifecycle store, IMessageBroker broker, TakeWaiters waiters, WorkerRegistry workers, QueueRates rates, TimeProvider time)
{
    private const int PageSize = 1000;

    public static readonly string Version =
        typeof(NodeStatistics).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0]
            ?? "0";

    private readonly long _startedAt = time.GetTimestamp();

    /// <summary>The node alone, without its queues.</summary>
    public NodeSnapshot Node() => new()
    {
        Version = Version,
        Uptime = time.GetElapsedTime(_startedAt),
        Store = store.Description,
        Durability = broker.Durability.ToString(),
        WaitingTakes = waiters.Count,
        Workers = workers.Count,
        MemoryBytes = Environment.WorkingSet,
    };

    /// <summary>The kind of the store and its place, for people.</summary>
    public string Store => store.Description;

    public TimeSpan Uptime => time.GetElapsedTime(_startedAt);

    public int WaitingTakes => waiters.Count;

    public int Workers => workers.Count;

    public async ValueTask<NodeSnapshot> TakeAsync()
    {
        var snapshot = Node();
        string? after = null;
        do
        {
            var page = await broker.ListQueuesAsync(after, PageSize);
            foreach (var queue in page.Queues)
            {
                snapshot = snapshot.With(queue, rates.Of(queue.Name));
            }

            after = page.Next;
        }
        while (after is not null);

        return snapshot;
    }
}
