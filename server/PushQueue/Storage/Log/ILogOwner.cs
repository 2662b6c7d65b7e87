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

    /// <summary>
    /// A batch for which the owner asked (<see cref="LogAppender.CloseWith"/>) is about to be written, and no other record can join it.
    /// The owner may append records that count only together with those that the batch adds: a full disk drops both. They need no
    /// notification of their place. Not called while the disk is full.
    /// </summary>
    void OnClosing(LogAppender appender)
    {
    }

    /// <summary>The records were dropped because the disk is full.</summary>
    void OnRefused(ReadOnlySpan<LocatedRecord> records);
}
