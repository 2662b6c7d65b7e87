namespace PushQueue.Queues;

/// <summary>Limits on messages.</summary>
public sealed class QueuesOptions
{
    /// <summary>The largest body of one message, in bytes.</summary>
    public int MessageBytesMax { get; set; } = 1024 * 1024;

    /// <summary>The largest batch that one request may put, in bytes of its body.</summary>
    public int BatchBytesMax { get; set; } = 128 * 1024 * 1024;

    /// <summary>The most messages that one batch may hold: each costs half a kilobyte of memory in addition to its body.</summary>
    public int BatchMessagesMax { get; set; } = 100_000;

    /// <summary>
    /// The most queues of the node. Dead-letter queues count, but are made in any case. For the store of one node.
    /// </summary>
    public long QueuesMax { get; set; } = 100_000;

    /// <summary>The most live messages of all queues together; each takes memory for its index. For the store of one node.</summary>
    public long MessagesMax { get; set; } = 50_000_000;

    /// <summary>The most bytes of all their bodies together; by default what the disk holds. For the store of one node.</summary>
    public long BytesMax { get; set; } = long.MaxValue;

    /// <summary>
    /// Which queues go away when nobody uses them, by their names; the first that matches counts. Given to new queues, and when the server
    /// starts to those that have no setting <c>expires</c>. A queue's own setting wins.
    /// </summary>
    public IList<QueueExpiry> Expires { get; } = [];

    /// <summary>How long a worker is listed after it was last seen; a minute to a year.</summary>
    public TimeSpan WorkerAgeMax { get; set; } = TimeSpan.FromHours(1);

    /// <summary>How many puts may wait for the end of their message at once.</summary>
    public int WaitingPutsMax { get; set; } = 10_000;

    /// <summary>How many takes may wait at once.</summary>
    public int WaitingTakesMax { get; set; } = 10_000;
}
