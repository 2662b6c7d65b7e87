namespace PushQueue.SystemTests.History.Judging;

/// <summary>
/// At least once, until somebody is done with it. An arrival after an ack that was answered is allowed only where it was on its way
/// already: on a connection that stood before, under an earlier lease. A dead letter was not acked. A lease is one consumer's
/// (<see cref="LeaseBook"/>). With keys, a message comes after its predecessor of the key has ended.
/// </summary>
internal sealed class AckedJudge : QueueJudge
{
    private readonly LeaseBook _leases;
    private readonly HashSet<string> _ackSent = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (int At, int Attempt)> _acked = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _dead = new(StringComparer.Ordinal);

    private readonly Dictionary<string, (string Earlier, string Consumer)> _early = new(StringComparer.Ordinal);
    private readonly bool _isOrdered;

    public AckedJudge(string queue, bool isOrdered)
        : base(queue)
    {
        _isOrdered = isOrdered;
        _leases = new LeaseBook(Find);
    }

    protected override void OnSeen(int at, HistoryEvent happened)
    {
        SeeLease(happened);
        if (_isOrdered && happened is Arrived came)
        {
            SeeOrder(came);
        }

        switch (happened)
        {
            case AckSent ack:
                _ackSent.Add(ack.Key);
                break;
            case AckConfirmed ack when !_acked.TryAdd(ack.Key, (at, ack.Attempt)):
                Find(FindingKind.Duplicated, $"two acks of {ack.Key} were answered: attempts {_acked[ack.Key].Attempt} and {ack.Attempt}");
                break;
            case Arrived arrived when _acked.TryGetValue(arrived.Key, out var ack)
                && (arrived.Attempt > ack.Attempt || ConnectedAt(arrived.Connection) > ack.At):
                Find(
                    FindingKind.Duplicated,
                    $"{arrived.Key} came to {arrived.Consumer} (attempt {arrived.Attempt}) after its ack (attempt {ack.Attempt}) was "
                        + "answered");
                break;
            case FoundDead dead:
                _dead[dead.Key] = _dead.GetValueOrDefault(dead.Key) + 1;
                break;
        }
    }

    /// <summary>Clients note an ack before they send it, and an arrival after the server sent it: so the order of notes is proof.</summary>
    private void SeeOrder(Arrived arrived)
    {
        var (producer, number) = MessageKeys.PartsOf(arrived.Key);
        var earlier = $"{producer}-{number - MessageKeys.OfAProducer}";
        if (number > MessageKeys.OfAProducer && Stored.Contains(earlier) && !_ackSent.Contains(earlier))
        {
            _early.TryAdd(arrived.Key, (earlier, arrived.Consumer));
        }
    }

    private void SeeLease(HistoryEvent happened)
    {
        switch (happened)
        {
            case PlaceTold place:
                _leases.OnPlace(place);
                break;
            case Arrived arrived:
                _leases.OnArrived(arrived);
                break;
            case AckSent ack:
                _leases.OnSettling(ack.Key);
                break;
            case ReleaseSent release:
                _leases.OnSettling(release.Key);
                break;
            case Killed or OutageBegun or OutageOver:
                _leases.Forget();
                break;
        }
    }

    protected override void OnEnd()
    {
        foreach (var (key, (earlier, consumer)) in _early.Where(entry => !_dead.ContainsKey(entry.Value.Earlier)))
        {
            Find(FindingKind.Reordered, $"{key} came to {consumer} although {earlier} of the same key had not ended");
        }

        foreach (var (key, count) in _dead)
        {
            if (count > 1)
            {
                Find(FindingKind.Duplicated, $"{key} is {count} times among the dead letters");
            }

            if (_acked.ContainsKey(key))
            {
                Find(FindingKind.Duplicated, $"{key} is a dead letter though its ack was answered");
            }
        }

        foreach (var key in Stored.Where(key => !_dead.ContainsKey(key) && !_ackSent.Contains(key)))
        {
            Find(FindingKind.Lost, Seen.Contains(key) ? $"{key} is gone though nobody acked it" : $"{key} never came");
        }
    }
}
