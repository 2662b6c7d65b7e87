using PushQueue.Queues;

namespace PushQueue.Storage.Redis;

/// <summary>
/// Queues in which messages were left for other nodes, because it was their turn: looked at again a little later than the others lose it
/// (see Part.Turns.lua), because a node that has died in between notifies nobody.
/// </summary>
internal sealed class TurnTimeouts : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(300);

    private readonly Lock _gate = new();
    private readonly HashSet<QueueName> _queues = [];
    private readonly ITimer _timer;
    private readonly Action<QueueName> _look;
    private readonly FaultBorder _faults;

    public TurnTimeouts(TimeProvider time, Action<QueueName> look, FaultBorder faults)
    {
        _faults = faults;
        _look = look;
        _timer = time.CreateTimer(_ => LookNow(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public void LookLater(QueueName queue)
    {
        bool first;
        lock (_gate)
        {
            first = _queues.Count == 0;
            _ = _queues.Add(queue);
        }

        if (first)
        {
            _ = _timer.Change(Patience, Timeout.InfiniteTimeSpan);
        }
    }

    public void Dispose() => _timer.Dispose();

    private void LookNow()
    {
        QueueName[] queues;
        lock (_gate)
        {
            queues = [.. _queues];
            _queues.Clear();
        }

        foreach (var queue in queues)
        {
            if (!_faults.Try(queue, queue, _look))
            {
                LookLater(queue);
            }
        }
    }
}
