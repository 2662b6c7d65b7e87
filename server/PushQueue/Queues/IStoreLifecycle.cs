namespace PushQueue.Queues;

/// <summary>The store as a part of the node: what it is, whether it can serve, how it opens and closes.</summary>
internal interface IStoreLifecycle : IAsyncDisposable
{
    /// <summary>What the store is and where, for people: "embedded log in /var/lib/pushqueue".</summary>
    string Description { get; }

    Durability Durability { get; }

    /// <summary>What it holds at this moment, cheap to ask; null where the store does not know. Of what other nodes did in the last second it may
    /// not know yet.</summary>
    StoreTotals? Totals => null;

    /// <summary>Null while the store can serve; else one sentence that says why not.</summary>
    string? UnavailableReason { get; }

    /// <summary>What the store takes up, for people to look at; null where it cannot tell. Cheap enough to be asked every second.</summary>
    ValueTask<StoreUsage?> MeasureAsync() => new((StoreUsage?)null);

    /// <summary>Opens the store and loads what it holds. Called once, before anything else.</summary>
    /// <exception cref="StoreOpenException">The store cannot be opened; the message is for the operator.</exception>
    Task OpenAsync(IQueueChangeListener listener, CancellationToken cancellationToken);
}
