namespace PushQueue.Storage.Embedded.Records;

/// <summary>Where a stored message is inside its queue.</summary>
internal enum MessagePlace : byte
{
    /// <summary>Its record is not yet on disk; nobody may see it.</summary>
    Pending,
    Ready,
    Delayed,
    Leased,

    /// <summary>Broadcast: no longer live, kept for resuming.</summary>
    History,

    /// <summary>Broadcast, and beyond the limits of history; kept as the newest message of its key.</summary>
    Kept,

    /// <summary>Removed; a stale reference may still stand in an ordering.</summary>
    Gone,
}
