using System.Diagnostics;

namespace PushQueue.Queues;

/// <summary>The spans of leases that have not been settled yet, by receipt; the oldest are forgotten where there are too many.</summary>
internal sealed class LeaseTraces
{
    private const int LeasesMax = 10_000;

    private readonly Lock _gate = new();
    private readonly Dictionary<Receipt, ActivityContext> _contexts = [];
    private readonly Queue<Receipt> _order = new();

    public void Add(Receipt receipt, ActivityContext context)
    {
        lock (_gate)
        {
            _contexts[receipt] = context;
            _order.Enqueue(receipt);
            if (_order.Count > LeasesMax)
            {
                _ = _contexts.Remove(_order.Dequeue());
            }
        }
    }

    public ActivityContext? Remove(Receipt receipt)
    {
        lock (_gate)
        {
            return _contexts.Remove(receipt, out var context) ? context : null;
        }
    }
}
