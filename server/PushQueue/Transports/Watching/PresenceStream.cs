using System.Threading.Channels;

namespace PushQueue.Transports.Watching;

/// <summary>
/// One watcher of a queue's presence. A watcher that reads too slowly misses events and then gets the whole state again; nobody waits for
/// it.
/// </summary>
internal sealed class PresenceStream
{
    private const int EventsMax = 256;

    private readonly Channel<PresenceEvent> _events = Channel.CreateBounded<PresenceEvent>(
        new BoundedChannelOptions(EventsMax) { SingleReader = true });

    private int _missed;

    public ChannelReader<PresenceEvent> Events => _events.Reader;

    public void Add(PresenceEvent happened)
    {
        if (!_events.Writer.TryWrite(happened))
        {
            Volatile.Write(ref _missed, 1);
        }
    }

    /// <summary>Whether events were missed since the last call.</summary>
    public bool TakeMissed() => Interlocked.Exchange(ref _missed, 0) != 0;
}
