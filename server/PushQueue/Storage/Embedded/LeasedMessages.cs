using PushQueue.Storage.Embedded.Records;

namespace PushQueue.Storage.Embedded;

/// <summary>
/// The leased messages of a queue. Leases begin, change and end only here, because a message stands in two orders while it is leased: by
/// the end of its lease, and, for a caller with a clock of its own, by the end on that clock. Guarded by the queue's lock.
/// </summary>
internal sealed class LeasedMessages(QueueKeys keys)
{
    private readonly SortedSet<StoredMessage> _byEnd = new(LeaseEndOrder.Instance);
    private readonly SortedSet<StoredMessage> _byCallerEnd = new(CallerLeaseEndOrder.Instance);

    public int Count => _byEnd.Count;

    /// <summary>When the next lease ends; <see cref="long.MaxValue"/> without one.</summary>
    public long NextEndMs => _byEnd.Count > 0 ? _byEnd.Min!.Lease!.UntilMs : long.MaxValue;

    /// <summary>The message whose lease ends first, if it has ended by then.</summary>
    public StoredMessage? FirstEnded(long nowMs) => NextEndMs <= nowMs ? _byEnd.Min : null;

    /// <summary>The message whose lease ends first on its caller's clock, if that clock has passed the end.</summary>
    public StoredMessage? FirstEndedForCaller(long callerNowMs) =>
        _byCallerEnd.Min is { } first && first.Lease!.CallerUntilMs <= callerNowMs ? first : null;

    /// <summary>Begins a lease. The message must stand in no other order of the queue.</summary>
    public void Add(StoredMessage message, LeaseDetails lease)
    {
        message.Place = MessagePlace.Leased;
        message.Lease = lease;
        Order(message, lease);
        keys.AddLeased(message);
    }

    /// <summary>Ends a lease and returns what it was. The caller gives the message its next place.</summary>
    public LeaseDetails Remove(StoredMessage message)
    {
        var lease = message.Lease!;
        LeaveOrders(message, lease);
        message.Lease = null;
        keys.RemoveLeased(message);
        return lease;
    }

    /// <summary>Gives a lease another end.</summary>
    public void Renew(StoredMessage message, long untilMs)
    {
        LeaveOrders(message, message.Lease!);
        message.Lease = message.Lease! with { UntilMs = untilMs };
        Order(message, message.Lease);
    }

    /// <summary>In the order of their ends, from a place on; all of them for null.</summary>
    public IEnumerable<StoredMessage> InOrder(StoredMessage? from = null) => _byEnd.From(from);

    public void Clear()
    {
        _byEnd.Clear();
        _byCallerEnd.Clear();
    }

    private void Order(StoredMessage message, LeaseDetails lease)
    {
        _byEnd.Add(message);
        if (lease.CallerUntilMs > 0)
        {
            _byCallerEnd.Add(message);
        }
    }

    private void LeaveOrders(StoredMessage message, LeaseDetails lease)
    {
        _byEnd.Remove(message);
        if (lease.CallerUntilMs > 0)
        {
            _byCallerEnd.Remove(message);
        }
    }
}
