using PushQueue.Delivery.Encoding;
using PushQueue.Queues;

namespace PushQueue.Delivery;

/// <summary>One queue of a stream over many, and where the stream is in it.</summary>
/// <param name="set">The queues of the stream.</param>
/// <param name="queue">The queue.</param>
/// <param name="announced">
/// Where the stream begins in a queue that joins later, as its client is notified; null for the first queues.
/// </param>
internal sealed class SetMember(QueueSet set, QueueName queue, Cursor? announced)
{
    private SetPosition? _reached;

    public QueueSet Set => set;

    public QueueName Queue => queue;

    public Cursor? Announced => announced;

    public int Hash { get; } = SetCursor.HashOf(queue);

    /// <summary>The consumer that gets the queue's messages; null until it has joined.</summary>
    public Consumer? Consumer { get; set; }

    /// <summary>Where the stream began. Set before a cursor of the stream is given out.</summary>
    public SetPosition Start { get; set; } = SetPosition.First;

    /// <summary>Where the stream is. Moved by the thread that writes, under the buffer's lock.</summary>
    public SetPosition Position => _reached ?? Start;

    /// <summary>The page is about to be written.</summary>
    public void Reach(EncodedPage page) => _reached = SetPosition.Of(page.Epoch!, page.Reached);
}
