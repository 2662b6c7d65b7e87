using System.Threading.Channels;

namespace PushQueue.Queues;

/// <summary>
/// One watcher of one queue. Events are noted here as long as there is room. Events that find no room are counted and left out, so that
/// delivery never waits for a watcher.
/// </summary>
internal sealed class MessageTail(QueueName queue)
{
    public const int EventsMax = 256;

    /// <summary>More of a body is not copied; a watcher that wants the rest asks for the message.</summary>
    public const int StartBytesMax = 16 * 1024;

    private readonly Channel<TailEvent> _events = Channel.CreateBounded<TailEvent>(new BoundedChannelOptions(EventsMax)
    {
        SingleReader = true,
    });

    private long _missed;

    public QueueName Queue => queue;

    public ChannelReader<TailEvent> Events => _events.Reader;

    /// <summary>Whether a further event would be kept. Asked before a body is copied for nothing.</summary>
    public bool HasRoom => _events.Reader.Count < EventsMax;

    /// <summary>How many events found no room since the last call.</summary>
    public long TakeMissed() => Interlocked.Exchange(ref _missed, 0);

    public void Note(TailEvent tailEvent)
    {
        if (!_events.Writer.TryWrite(tailEvent))
        {
            CountMissed();
        }
    }

    public void CountMissed() => Interlocked.Increment(ref _missed);
}
