using PushQueue.Delivery.Encoding;

namespace PushQueue.Delivery;

/// <summary>
/// The broadcast messages that a filter has left out since the last message that its consumer got. They make no gap. But a client that
/// resumes from its last message would have the server read all of them again, or get a gap for those that history no longer holds. So the
/// server sends the position from time to time. The dispatcher's rounds use this, and before them the catch-up; never both at once.
/// </summary>
internal sealed class PassedMessages
{
    /// <summary>History keeps 10,000 messages where a queue does not say otherwise.</summary>
    private const long OffsetsMax = 1000;

    /// <summary>How long a client may be without its position.</summary>
    public static readonly TimeSpan AgeMax = TimeSpan.FromSeconds(10);

    private string _epoch = string.Empty;
    private long _reported;
    private long _since;

    /// <summary>The last offset that the filter has left out; 0 if the consumer got the last message.</summary>
    public long Offset { get; private set; }

    /// <summary>The client got a message, a gap or its position, any of which contains an offset.</summary>
    public void Reported(long offset)
    {
        Offset = 0;
        _reported = offset;
    }

    /// <summary>The filter has left out the messages up to that offset.</summary>
    public void Pass(string epoch, long offset, TimeProvider time)
    {
        _since = Offset == 0 ? time.GetTimestamp() : _since;
        _epoch = epoch;
        Offset = offset;
    }

    /// <summary>The position to send now; null if none is due.</summary>
    public Cursor? TakeDue(TimeProvider time)
    {
        if (Offset == 0 || (Offset - _reported < OffsetsMax && time.GetElapsedTime(_since) < AgeMax))
        {
            return null;
        }

        var cursor = Cursor.Of(_epoch, Offset);
        Reported(Offset);
        return cursor;
    }
}
