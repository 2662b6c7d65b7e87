using PushQueue.Delivery.Encoding;

namespace PushQueue.Delivery;

/// <summary>
/// The broadcast messages that a consumer with a filter did not get since the last one that it got. They make no gap, but a client that
/// resumes from its last message would have all of them read again, or get a gap for those that history no longer holds. So it is told from
/// time to time how far it is. Only the rounds of its dispatcher, and its way through history before them, touch it.
/// </summary>
internal sealed class PassedMessages
{
    /// <summary>History keeps 10,000 messages where a queue does not say otherwise.</summary>
    private const long OffsetsMax = 1000;

    /// <summary>How long a client may be behind before it is told.</summary>
    public static readonly TimeSpan AgeMax = TimeSpan.FromSeconds(10);

    private string _epoch = string.Empty;
    private long _told;
    private long _since;

    /// <summary>The last offset that was passed over; 0 where the last message was given.</summary>
    public long Offset { get; private set; }


    /// <summary>The client has got a message, a gap or its position, and knows by it how far it is.</summary>
    public void Told(long offset)
    {
        Offset = 0;
        _told = offset;
    }

    /// <summary>Messages up to that offset were passed over.</summary>
    public void Pass(string epoch, long offset, TimeProvider time)
    {
        _since = Offset == 0 ? time.GetTimestamp() : _since;
        _epoch = epoch;
        Offset = offset;
    }

    /// <summary>Where the client is, if it is time that it knows; null else.</summary>
    public Cursor? TakeDue(TimeProvider time)
    {
        if (Offset == 0 || (Offset - _told < OffsetsMax && time.GetElapsedTime(_since) < AgeMax))
        {
            return null;
        }

        var cursor = Cursor.Of(_epoch, Offset);
        Told(Offset);
        return cursor;
    }
}
