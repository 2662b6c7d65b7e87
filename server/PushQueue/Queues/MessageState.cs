namespace PushQueue.Queues;

/// <summary>Where a live message is. The numbers are on disk and in Redis: they may only ever grow.</summary>
internal enum MessageState : byte
{
    /// <summary>Can be taken now.</summary>
    Ready = 0,

    /// <summary>Waits for its time.</summary>
    Delayed = 1,

    /// <summary>Held by a worker until its lease ends.</summary>
    Leased = 2,

    /// <summary>Rests in a dead-letter queue. A dead letter can be taken like any ready message.</summary>
    Dead = 3,
}
