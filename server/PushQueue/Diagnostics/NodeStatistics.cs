using System.Reflection;
using PushQueue.Queues;

namespace PushQueue.Diagnostics;

/// <summary>Sums up the node and its queues when somebody asks.</summary>
internal sealed class NodeStatistics(
    IMessageStore store, IMessageBroker broker, TakeWaiters waiters, WorkerRegistry workers, QueueRates rates, TimeProvider time)
{
    private const int PageSize = 1000;

    private static readonly string Version =
        typeof(NodeStatistics).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";

    private readonly long _startedAt = time.GetTimestamp();

    public async ValueTask<NodeSnapshot> TakeAsync()
    {
        var snapshot = new NodeSnapshot
        {
            Version = Version,
            Uptime = time.GetElapsedTime(_startedAt),
            Store = store.Description,
            Durability = broker.Durability.ToString(),
            WaitingTakes = waiters.Count,
            Workers = workers.Count,
            MemoryBytes = Environment.WorkingSet,
        };
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
