namespace PushQueue.Queues;

/// <summary>The store as a part of the node: what it is, whether it can serve, how it opens and closes.</summary>
internal interface IStoreLifecycle : IAsyncDisposable
{
    /// <summary>The kind of the store and its place, for people: "embedded log in /var/lib/pushqueue".</summary>
    string Description { get; }

    Durability Durability { get; }

    /// <summary>
    /// The present by the clock that decides when messages are due. Times of messages are relative to it and not to the clock of this node.
    /// </summary>
    DateTimeOffset Now { get; }

    /// <summary>
    /// The contents at this moment, cheap to ask; null if the store does not know. The changes that other nodes made in the last second may
    /// be missing.
    /// </summary>
    StoreTotals? Totals => null;

    /// <summary>Null while the store can serve; else one sentence that says why not.</summary>
    string? UnavailableReason { get; }

    /// <summary>Damage that the store found since it was opened; null where it found none.</summary>
    StoreDamage? Damage => null;

    /// <summary>The room that the store takes up, for people; null if it cannot tell. Cheap enough to be asked every second.</summary>
    ValueTask<StoreUsage?> MeasureAsync() => new((StoreUsage?)null);

    /// <summary>Opens the store and loads what it holds. Called once, before anything else.</summary>
    /// <exception cref="StoreOpenException">The store cannot be opened; the message is for the operator.</exception>
    Task OpenAsync(IQueueChangeListener listener, CancellationToken cancellationToken);
}
