using System.Collections.Concurrent;
using PushQueue.Queues;

namespace PushQueue.Transports.Watching;

/// <summary>
/// The queues that other nodes watch. A question of another node keeps its interest for a while, and each further question renews it.
/// </summary>
internal sealed class Interests(TimeProvider time)
{
    /// <summary>Three times the interval of the questions, so that one that is lost does no harm.</summary>
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(15);

    private static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<QueueName, long> _asked = new();
    private long _sweptAt = time.GetTimestamp();

    /// <summary>Another node has asked. True where no node was interested in the queue before.</summary>
    public bool Renew(QueueName queue)
    {
        var now = time.GetTimestamp();
        if (_asked.TryAdd(queue, now))
        {
            return true;
        }

        _asked[queue] = now;
        return false;
    }

    /// <summary>Whether a node is interested in the queue now.</summary>
    public bool Has(QueueName queue) =>
        _asked.TryGetValue(queue, out var asked) && time.GetElapsedTime(asked) <= Duration;

    /// <summary>Forgets the queue if no node is interested in it any more. False where one is.</summary>
    public bool TryForget(QueueName queue) =>
        !_asked.TryGetValue(queue, out var asked)
        || (time.GetElapsedTime(asked) > Duration && _asked.TryRemove(KeyValuePair.Create(queue, asked)));

    /// <summary>Forgets all queues in which no node is interested any more. Does nothing within a second after the last time.</summary>
    public void Sweep()
    {
        var swept = Volatile.Read(ref _sweptAt);
        if (time.GetElapsedTime(swept) < SweepInterval
            || Interlocked.CompareExchange(ref _sweptAt, time.GetTimestamp(), swept) != swept)
        {
            return;
        }

        foreach (var (queue, _) in _asked)
        {
            _ = TryForget(queue);
        }
    }
}
