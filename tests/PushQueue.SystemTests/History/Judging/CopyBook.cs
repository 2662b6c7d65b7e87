namespace PushQueue.SystemTests.History.Judging;

/// <summary>
/// Derives the puts of a subscriber from those of its source. A message that was put while the queue certainly subscribed must have a copy;
/// one that was put while it certainly did not must have none; while the subscription changed, either is right.
/// </summary>
internal sealed class CopyBook(CopyRule rule)
{
    private readonly Dictionary<string, (SubscriptionState State, int Changes)> _pending = new(StringComparer.Ordinal);
    private SubscriptionState _state = SubscriptionState.On;
    private int _changes;

    private enum SubscriptionState
    {
        On,
        Off,
        Changing,
    }

    public string Subscriber => rule.Subscriber;

    /// <summary>The puts of copies that follow from an event.</summary>
    public IEnumerable<HistoryEvent> See(HistoryEvent happened) => happened switch
    {
        PutTried put when put.Queue == rule.Source && rule.Wants(put.Key) => OnTried(put.Key),
        PutStored put when put.Queue == rule.Source && rule.Wants(put.Key) => OnStored(put.Key),
        SubscriptionSent change when change.Queue == rule.Subscriber => OnSent(),
        SubscriptionConfirmed change when change.Queue == rule.Subscriber => OnConfirmed(change.IsOn),
        _ => [],
    };

    private IEnumerable<HistoryEvent> OnTried(string key)
    {
        _pending[key] = (_state, _changes);
        return _state == SubscriptionState.Off ? [] : [new PutTried(rule.Subscriber, key)];
    }

    private IEnumerable<HistoryEvent> OnStored(string key) =>
        _pending.Remove(key, out var put) && put == (SubscriptionState.On, _changes) ? [new PutStored(rule.Subscriber, key)] : [];

    private List<HistoryEvent> OnSent()
    {
        // Puts that have no answer yet may be executed later, with the subscription that is on its way.
        List<HistoryEvent> mayFollow = _state == SubscriptionState.Off
            ? [.. _pending.Where(put => put.Value.State == SubscriptionState.Off).Select(put => new PutTried(rule.Subscriber, put.Key))]
            : [];
        _changes++;
        _state = SubscriptionState.Changing;
        return mayFollow;
    }

    private IEnumerable<HistoryEvent> OnConfirmed(bool isOn)
    {
        _state = isOn ? SubscriptionState.On : SubscriptionState.Off;
        return [];
    }
}
