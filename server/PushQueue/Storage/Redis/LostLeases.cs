using PushQueue.Queues;

namespace PushQueue.Storage.Redis;

/// <summary>
/// Leases that Redis may have given although its answer never arrived: nobody knows of them, and those that last as long as their node
/// would never end. The node made their receipts, so it can find and return them. It looks several times at growing intervals, because a
/// command that its sender has given up may still be on its way to a Redis that stands still.
/// </summary>
internal sealed class LostLeases
{
    /// <summary>Looks at 0, 1, 3, 7, 15 and 31 heartbeats after Redis is back.</summary>
    private const int LooksMax = 6;

    private readonly Lock _gate = new();
    private List<LostLease> _lost = [];

    public void Add(QueueName queue, string node, byte[] receipts)
    {
        lock (_gate)
        {
            _lost.Add(new LostLease(queue, node, receipts));
        }
    }

    /// <summary>Called with each heartbeat: removes and returns the leases that it is time to look for.</summary>
    public IReadOnlyList<LostLease> Take()
    {
        lock (_gate)
        {
            if (_lost.Count == 0)
            {
                return [];
            }

            var due = _lost.FindAll(static lost => --lost.Wait <= 0);
            _lost = [.. _lost.Except(due)];
            return due;
        }
    }

    /// <summary>One of them was looked for, whether something was found or not.</summary>
    public void Looked(LostLease lost)
    {
        if (++lost.Looks < LooksMax)
        {
            lost.Wait = 1 << (lost.Looks - 1);
            PutBack(lost);
        }
    }

    /// <summary>One of them could not be looked for.</summary>
    public void PutBack(LostLease lost)
    {
        lock (_gate)
        {
            _lost.Add(lost);
        }
    }
}
