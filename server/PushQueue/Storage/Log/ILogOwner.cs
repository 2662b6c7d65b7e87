namespace PushQueue.Storage.Log;

/// <summary>
/// Appends records and learns what became of them. Called on the log's thread, without its lock. Calls are short, because the next
/// batch waits,
/// and must not throw.
/// </summary>
internal interface ILogOwner
{
    /// <summary>The records are durable. All are this owner's.</summary>
    void OnCommitted(Segment segment, ReadOnlySpan<LocatedRecord> records);

    /// <summary>The records were dropped because the disk is full.</summary>
    void OnRefused(ReadOnlySpan<LocatedRecord> records);
}
